"""Writing ourselves into MCP clients: what each one wants is data, how files are edited is code."""
