"""How each family of clients writes one server: the same facts under different names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

__all__ = [
    "KEY_VARIABLE",
    "MANAGED",
    "Entry",
    "Launch",
    "Remote",
    "Transport",
    "merge",
]

Transport = Literal["stdio", "http", "sse"]
Entry = Mapping[str, object]
KEY_VARIABLE = "MESSENGERS_API_KEY"
"""The environment variable by which a config names the API key that it does not hold."""
MANAGED = frozenset(
    (
        *("type", "transport", "source"),
        *("command", "args", "cmd", "env", "environment", "envs", "env_keys"),
        *("url", "uri", "serverUrl", "headers", "http_headers", "env_http_headers"),
        "bearer_token_env_var",
    )
)
"""What our entries decide. Every other key in one (timeout, disabled, trust …) is its owner's."""
_ENVIRONMENTS = ("env", "environment", "envs")


@dataclass(frozen=True, slots=True)
class Launch:
    """How the client starts us."""

    command: str
    args: tuple[str, ...] = ("stdio",)
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the client reaches a running daemon; `reference` stands for the key."""

    transport: Transport
    url: str
    reference: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.reference}"}


StdioEntry = Callable[[Launch], Entry]
RemoteEntry = Callable[[Remote], Entry]


def plain(launch: Launch) -> Entry:
    """command, args, env: what most clients took over from Claude Desktop."""
    entry: dict[str, object] = {"command": launch.command, "args": list(launch.args)}
    return {**entry, "env": dict(launch.env)} if launch.env else entry


def typed(launch: Launch) -> Entry:
    """The same with its transport named."""
    return {"type": "stdio", **plain(launch)}


def copilot(launch: Launch) -> Entry:
    """Copilot lists the tools it may use."""
    return {**typed(launch), "tools": ["*"]}


def zed(launch: Launch) -> Entry:
    """Zed tells its own extensions from what the user adds."""
    return {"source": "custom", **plain(launch)}


def opencode(launch: Launch) -> Entry:
    """Takes the whole command line as one list."""
    entry: dict[str, object] = {
        "type": "local",
        "command": [launch.command, *launch.args],
        "enabled": True,
    }
    return {**entry, "environment": dict(launch.env)} if launch.env else entry


def goose(launch: Launch) -> Entry:
    """Goose calls a server an extension."""
    return {
        "type": "stdio",
        "name": "messengers",
        "cmd": launch.command,
        "args": list(launch.args),
        **({"envs": dict(launch.env)} if launch.env else {}),
        "enabled": True,
        "timeout": 300,
    }


def typed_url(remote: Remote) -> Entry:
    """type, url, headers."""
    return {"type": remote.transport, "url": remote.url, "headers": remote.headers}


def plain_url(remote: Remote) -> Entry:
    """url, headers; the client finds the transport out."""
    return {"url": remote.url, "headers": remote.headers}


def server_url(remote: Remote) -> Entry:
    """Windsurf's name for the address."""
    return {"serverUrl": remote.url, "headers": remote.headers}


def codex_url(remote: Remote) -> Entry:
    """Codex takes the name of the variable and ignores `headers` and `type`."""
    return {"url": remote.url, "bearer_token_env_var": remote.reference}


def opencode_url(remote: Remote) -> Entry:
    """Calls every remote server by this type."""
    return {"type": "remote", "url": remote.url, "headers": remote.headers, "enabled": True}


def goose_url(remote: Remote) -> Entry:
    """Goose fills a header from the variables that `env_keys` lists."""
    return {
        "type": "streamable_http",
        "name": "messengers",
        "uri": remote.url,
        "headers": remote.headers,
        "env_keys": [KEY_VARIABLE],
        "enabled": True,
        "timeout": 300,
    }


def merge(old: Entry | None, new: Entry, ours: str) -> Entry:
    """The new entry with what its owner added to the old one.

    That is every key that is not ours to decide, and environment variables other than `ours`.
    """
    if old is None:
        return new
    merged = {**new, **{key: value for key, value in old.items() if key not in MANAGED}}
    for name in _ENVIRONMENTS:
        before = old.get(name)
        if isinstance(before, Mapping) and _starts(new):
            added = cast("Mapping[str, object]", before)
            now = cast("Mapping[str, object]", new.get(name, {}))
            both = {**{key: added[key] for key in added if key != ours}, **now}
            if both or not added:
                merged[name] = both
    return merged


def _starts(entry: Entry) -> bool:
    return "command" in entry or "cmd" in entry
