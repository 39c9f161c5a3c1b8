"""Every messenger for AI agents, through one small set of MCP tools."""

__all__ = ["__version__"]

__version__ = "0.1.0"
