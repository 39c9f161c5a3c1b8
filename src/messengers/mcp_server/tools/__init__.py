"""The tools, one module per noun; each is a few lines over one function of the core."""
