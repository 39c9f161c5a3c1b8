"""The MCP surface: tools, their gate, and how answers look to a model."""
