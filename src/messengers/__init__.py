"""Every messenger for AI agents, through one small set of MCP tools."""
