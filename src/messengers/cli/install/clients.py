"""Every MCP client we know how to configure, as data.

File, key, shapes, and which transports can name a secret by reference. Source: each client's own
documentation, read in 2026-11.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from messengers.cli.install import entries
from messengers.cli.install.entries import KEY_VARIABLE, RemoteEntry, StdioEntry, Transport
from messengers.errors import InvalidInput

__all__ = ["CLIENTS", "Client", "client_of", "reference"]

_ENV = f"${{{KEY_VARIABLE}}}"
_ENV_NAMED = f"${{env:{KEY_VARIABLE}}}"
_NO_REFERENCE = "its config cannot name a secret by reference"
_NO_TRANSPORT = "it does not speak this transport"
_LOCAL_ONLY = "its file takes local servers only"
_ONE_URL = "it takes one URL and speaks streamable HTTP to it"


@dataclass(frozen=True, slots=True)
class Client:
    """One client.

    `files` are candidates per platform (`""` fits all): the first that exists is taken, else the
    first. Names in braces are directories that `places` knows.
    """

    title: str
    family: str
    """json | toml | yaml: how the file is edited; yaml is only shown."""
    path: tuple[str, ...]
    """The keys above the server's name."""
    files: Mapping[str, tuple[str, ...]]
    stdio: StdioEntry
    remote: RemoteEntry | None = None
    references: Mapping[Transport, str] = field(default_factory=dict[Transport, str])
    """How a config names the key, for each remote transport that works."""
    refused: Mapping[Transport, str] = field(default_factory=dict[Transport, str])
    """Why the other remote transports do not."""
    program: str = ""
    """The client's command; it tells that the client is installed."""
    extra: Mapping[str, object] = field(default_factory=dict[str, object])
    """What a remote config needs beside the server: VS Code's prompt for the key. Such a config is
    shown and not written: it changes more than our own key."""
    note: str = ""
    """What the owner must do beside the config."""


_CLINE = "User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
_INPUT = "messengers-api-key"
_PROMPTED: Mapping[str, object] = {
    "inputs": [
        {
            "type": "promptString",
            "id": _INPUT,
            "description": "API key of Messengers (messengers keys create)",
            "password": True,
        }
    ]
}
_BOTH_REFERENCE: Mapping[Transport, str] = {"http": _NO_REFERENCE, "sse": _NO_REFERENCE}

CLIENTS: Mapping[str, Client] = {
    "claude-code": Client(
        title="Claude Code",
        family="json",
        path=("mcpServers",),
        files={"": ("{claude}/.claude.json",)},
        stdio=entries.typed,
        remote=entries.typed_url,
        references={"http": _ENV, "sse": _ENV},
        program="claude",
    ),
    "claude-desktop": Client(
        title="Claude Desktop",
        family="json",
        path=("mcpServers",),
        files={
            "linux": ("{config}/Claude/claude_desktop_config.json",),
            "mac": ("{support}/Claude/claude_desktop_config.json",),
            "windows": ("{appdata}/Claude/claude_desktop_config.json",),
        },
        stdio=entries.plain,
        refused={"http": _LOCAL_ONLY, "sse": _LOCAL_ONLY},
        note="Quit and start Claude Desktop again.",
    ),
    "cursor": Client(
        title="Cursor",
        family="json",
        path=("mcpServers",),
        files={"": ("{home}/.cursor/mcp.json",)},
        stdio=entries.plain,
        remote=entries.plain_url,
        references={"http": _ENV_NAMED, "sse": _ENV_NAMED},
        program="cursor",
    ),
    "vscode": Client(
        title="VS Code",
        family="json",
        path=("servers",),
        files={
            "linux": ("{config}/Code/User/mcp.json",),
            "mac": ("{support}/Code/User/mcp.json",),
            "windows": ("{appdata}/Code/User/mcp.json",),
        },
        stdio=entries.typed,
        remote=entries.typed_url,
        references={"http": f"${{input:{_INPUT}}}", "sse": f"${{input:{_INPUT}}}"},
        program="code",
        extra=_PROMPTED,
    ),
    "copilot-cli": Client(
        title="GitHub Copilot CLI",
        family="json",
        path=("mcpServers",),
        files={"": ("{copilot}/mcp-config.json",)},
        stdio=entries.copilot,
        refused=_BOTH_REFERENCE,
        program="copilot",
    ),
    "windsurf": Client(
        title="Windsurf",
        family="json",
        path=("mcpServers",),
        files={"": ("{home}/.codeium/windsurf/mcp_config.json", "{home}/.codeium/mcp_config.json")},
        stdio=entries.plain,
        remote=entries.server_url,
        references={"http": _ENV_NAMED, "sse": _ENV_NAMED},
        program="windsurf",
    ),
    "codex": Client(
        title="Codex",
        family="toml",
        path=("mcp_servers",),
        files={"": ("{codex}/config.toml",)},
        stdio=entries.plain,
        remote=entries.codex_url,
        references={"http": KEY_VARIABLE},
        refused={"sse": _NO_TRANSPORT},
        program="codex",
    ),
    "gemini-cli": Client(
        title="Gemini CLI",
        family="json",
        path=("mcpServers",),
        files={"": ("{home}/.gemini/settings.json",)},
        stdio=entries.plain,
        remote=entries.typed_url,
        references={"http": _ENV, "sse": _ENV},
        program="gemini",
    ),
    "antigravity": Client(
        title="Antigravity",
        family="json",
        path=("mcpServers",),
        files={"": ("{home}/.gemini/config/mcp_config.json",)},
        stdio=entries.plain,
        refused=_BOTH_REFERENCE,
        program="antigravity",
    ),
    "zed": Client(
        title="Zed",
        family="json",
        path=("context_servers",),
        files={
            "linux": ("{config}/zed/settings.json",),
            "mac": ("{support}/Zed/settings.json", "{home}/.config/zed/settings.json"),
            "windows": ("{appdata}/Zed/settings.json",),
        },
        stdio=entries.zed,
        refused=_BOTH_REFERENCE,
        program="zed",
    ),
    "opencode": Client(
        title="opencode",
        family="json",
        path=("mcp",),
        files={"": ("{config}/opencode/opencode.json", "{config}/opencode/opencode.jsonc")},
        stdio=entries.opencode,
        remote=entries.opencode_url,
        references={"http": f"{{env:{KEY_VARIABLE}}}"},
        refused={"sse": _ONE_URL},
        program="opencode",
    ),
    "cline": Client(
        title="Cline",
        family="json",
        path=("mcpServers",),
        files={
            "linux": ("{config}/Code/" + _CLINE,),
            "mac": ("{support}/Code/" + _CLINE,),
            "windows": ("{appdata}/Code/" + _CLINE,),
        },
        stdio=entries.plain,
        refused=_BOTH_REFERENCE,
    ),
    "goose": Client(
        title="Goose",
        family="yaml",
        path=("extensions",),
        files={"": ("{config}/goose/config.yaml",)},
        stdio=entries.goose,
        remote=entries.goose_url,
        references={"http": _ENV},
        refused={"sse": _NO_TRANSPORT},
        program="goose",
    ),
    "kiro": Client(
        title="Kiro",
        family="json",
        path=("mcpServers",),
        files={"": ("{home}/.kiro/settings/mcp.json",)},
        stdio=entries.plain,
        remote=entries.plain_url,
        references={"http": _ENV},
        refused={"sse": _ONE_URL},
        program="kiro",
        note=f"For HTTP, add {KEY_VARIABLE} to Kiro's approved environment variables.",
    ),
    "grok": Client(
        title="Grok",
        family="toml",
        path=("mcp_servers",),
        files={"": ("{home}/.grok/config.toml",)},
        stdio=entries.plain,
        remote=entries.plain_url,
        references={"http": _ENV},
        refused={"sse": _ONE_URL},
        program="grok",
    ),
    "kimi": Client(
        title="Kimi Code",
        family="json",
        path=("mcpServers",),
        files={"": ("{home}/.kimi-code/mcp.json",)},
        stdio=entries.plain,
        refused=_BOTH_REFERENCE,
        program="kimi",
    ),
}


def client_of(key: str) -> Client:
    """The client of that name. Raises InvalidInput with the names there are."""
    if key not in CLIENTS:
        raise InvalidInput("No such client is known.", f"Known: {', '.join(CLIENTS)}.")
    return CLIENTS[key]


def reference(client: Client, transport: Transport) -> str:
    """How this client's config names the key over this transport.

    Raises InvalidInput with the reason and the transport that works.
    """
    if transport in client.references:
        return client.references[transport]
    works = ("stdio", *client.references)
    raise InvalidInput(
        f"{client.title} cannot use {transport}: {client.refused[transport]}.",
        f"Use --transport {' or '.join(works)}.",
    )
