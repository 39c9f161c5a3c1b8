"""What the product does. It knows no HTTP framework, no MCP and no messenger's SDK."""
