"""Pages and plain HTTP: what people and programs reach without MCP."""
