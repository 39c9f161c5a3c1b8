"""What the product's speed is, each figure against a baseline measured in the same run."""
