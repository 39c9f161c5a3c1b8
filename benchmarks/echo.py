"""The baseline of an MCP server: the SDK with one tool that returns its argument, over stdio."""

from mcp.server import MCPServer

__all__ = ["server"]

server = MCPServer("echo")


@server.tool(structured_output=False)
def echo(text: str) -> str:
    """Return the text."""
    return text


if __name__ == "__main__":
    server.run("stdio")
