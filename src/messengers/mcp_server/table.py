"""One row per tool and resource: what kind of act it is, whose, and the scope it needs.

The hints follow, never set by hand. The routes' scopes stand in `web/doors.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations

from messengers.core.callers import Caller
from messengers.core.scopes import PRESETS, Scope
from messengers.errors import MessengersError, Uncertain
from messengers.mcp_server.results import DOUBT, DOUBT_OF_CHANGE
from messengers.mcp_server.schemas import of_answer, of_parameters
from messengers.mcp_server.tools import (
    access,
    audit,
    bulk,
    chats,
    groups,
    instances,
    letters,
    media,
    messages,
    rich,
    sending,
    setup,
)
from messengers.models import Preset, Toolset

__all__ = ["RESOURCES", "TABLE", "Kind", "Row", "scope_of"]

Kind = Literal["read", "write", "destructive", "setup", "admin"]
_NOTHING = {
    "read": "",
    "write": "Nothing was sent.",
    "destructive": "Nothing was deleted.",
    "setup": "Nothing was changed.",
    "admin": "Nothing was changed.",
}


@dataclass(frozen=True)
class Row:
    """A tool."""

    function: Callable[..., Any]
    kind: Kind
    preset: Preset
    scope: Scope
    """What a key needs for it."""
    repeatable: bool = False
    """Doing it twice is doing it once."""
    toolset: Toolset | Literal[""] = ""
    """Whom it was not given with this one does not have it; empty: it comes with the preset."""

    changes: bool = False
    """It changes or makes something, rather than sending: its errors say so."""

    @cached_property
    def name(self) -> str:
        return self.function.__name__

    @cached_property
    def tool(self) -> Tool:
        """As the SDK registers it, with the schemas we want to pay for."""
        # A string would be sent twice, as text and as structured data: only writes have the latter.
        structured = False if self.kind == "read" else None
        tool = Tool.from_function(
            self.function, annotations=self.hints, structured_output=structured
        )
        metadata = tool.fn_metadata
        if metadata.output_schema is not None:
            metadata.output_schema = of_answer(metadata.output_schema)
        described = " ".join((self.function.__doc__ or "").split())
        update = {"parameters": of_parameters(tool.parameters), "description": described}
        return tool.model_copy(update=update)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters."""
        return tuple(self.tool.parameters["properties"])

    @cached_property
    def hints(self) -> ToolAnnotations:
        """Every tool's world is open: what it shows or does concerns people outside."""
        reads = self.kind == "read"
        return ToolAnnotations(
            read_only_hint=reads,
            destructive_hint=self.kind == "destructive",
            idempotent_hint=reads or self.repeatable,
            open_world_hint=True,
        )

    def open_to(self, caller: Caller) -> bool:
        """Whether the tool exists as far as this caller is concerned."""
        if self.toolset and self.toolset not in caller.toolsets:
            return False
        is_of_preset = PRESETS.index(self.preset) <= PRESETS.index(caller.preset)
        return is_of_preset and caller.may(self.scope)

    def closing(self, error: MessengersError | None = None) -> str:
        """The last words of an error: what has become of the act. None: nothing is known of it."""
        if self.kind == "read":
            return ""
        if isinstance(error, Uncertain) or error is None:
            return DOUBT_OF_CHANGE if self.changes else DOUBT
        return _NOTHING["setup" if self.changes else self.kind]


def _group(function: Callable[..., Any], kind: Kind, *, repeatable: bool = False) -> Row:
    preset: Preset = "reader" if kind == "read" else "messenger"
    scope: Scope = "messages:read" if kind == "read" else "messages:send"
    return Row(function, kind, preset, scope, repeatable, toolset="groups", changes=True)


def _rule(function: Callable[..., Any], kind: Kind) -> Row:
    scope: Scope = "access:read" if kind == "read" else "access:write"
    return Row(function, kind, "admin", scope, repeatable=True, toolset="access", changes=True)


TABLE = (
    Row(instances.list_instances, "read", "reader", "instances:read"),
    Row(chats.list_chats, "read", "reader", "messages:read"),
    Row(messages.list_recent_messages, "read", "reader", "messages:read"),
    Row(messages.read_messages, "read", "reader", "messages:read"),
    Row(messages.search_messages, "read", "reader", "messages:read"),
    Row(messages.get_message, "read", "reader", "messages:read"),
    Row(chats.find_contacts, "read", "reader", "persons:read"),
    Row(media.get_media, "read", "reader", "messages:read"),
    Row(messages.wait_for_messages, "read", "reader", "messages:read"),
    Row(sending.send_message, "write", "messenger", "messages:send"),
    Row(sending.edit_message, "write", "messenger", "messages:send", repeatable=True),
    Row(sending.delete_message, "destructive", "messenger", "messages:send", repeatable=True),
    Row(sending.forward_message, "write", "messenger", "messages:send"),
    Row(sending.react, "write", "messenger", "messages:send", repeatable=True),
    Row(chats.mark_read, "write", "messenger", "messages:send", repeatable=True),
    Row(setup.create_instance, "setup", "setup", "instances:write"),
    Row(setup.connect_instance, "setup", "setup", "instances:write", repeatable=True),
    Row(setup.disconnect_instance, "setup", "setup", "instances:write", repeatable=True),
    Row(setup.get_qr, "setup", "setup", "instances:write", repeatable=True),
    Row(instances.get_instance, "read", "setup", "instances:read"),
    Row(setup.delete_instance, "destructive", "admin", "instances:delete", repeatable=True),
    Row(audit.list_audit, "read", "admin", "admin:read"),
    Row(letters.list_dead_letters, "read", "admin", "admin:read"),
    Row(letters.replay_dead_letter, "admin", "admin", "admin:write", repeatable=True),
    Row(bulk.send_bulk, "write", "admin", "messages:send"),
    Row(bulk.bulk_status, "read", "admin", "messages:read"),
    Row(bulk.control_bulk, "admin", "admin", "messages:send", repeatable=True),
    Row(bulk.list_scheduled, "read", "admin", "messages:read"),
    Row(bulk.cancel_scheduled, "admin", "admin", "messages:send", repeatable=True),
    _rule(access.list_access_rules, "read"),
    _rule(access.check_access, "read"),
    _rule(access.set_access_rule, "admin"),
    _rule(access.remove_access_rule, "admin"),
    _group(groups.list_groups, "read"),
    _group(groups.get_group, "read"),
    _group(groups.create_group, "write"),
    _group(groups.change_group_members, "destructive", repeatable=True),
    _group(groups.update_group, "write", repeatable=True),
    _group(groups.get_group_invite, "write"),
    _group(groups.leave_group, "destructive", repeatable=True),
    Row(rich.send_location, "write", "messenger", "messages:send", toolset="rich"),
    Row(rich.send_contact, "write", "messenger", "messages:send", toolset="rich"),
    Row(rich.send_poll, "write", "messenger", "messages:send", toolset="rich"),
    Row(rich.send_buttons, "write", "messenger", "messages:send", toolset="rich"),
    Row(rich.send_sticker, "write", "messenger", "messages:send", toolset="rich"),
    Row(rich.pin_message, "write", "messenger", "messages:send", repeatable=True, toolset="rich"),
    Row(
        rich.arrange_chat,
        "write",
        "messenger",
        "messages:send",
        repeatable=True,
        toolset="rich",
        changes=True,
    ),
)

RESOURCES: Mapping[str, Scope] = {
    "guide": "messages:read",
    "chat": "messages:read",
    "instance": "instances:read",
}
"""What a key needs to read or follow a resource, by the scheme of its address."""


def scope_of(uri: str) -> Scope | None:
    """The scope for a resource; None where there is none of that scheme."""
    return RESOURCES.get(uri.partition("://")[0].lower())
