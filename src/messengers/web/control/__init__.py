"""What the command line asks the daemon: on `control.sock` only, so who asks is the owner.

No MCP client, no browser and no network reaches these routes. JSON in and out; every error is
`{"error": {"code", "cause", "remedy"}}`.
"""
