"""One row per tool: what kind of act it is and whose. The hints follow, never set by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations

from messengers.core.callers import Caller
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

__all__ = ["TABLE", "Kind", "Row"]

Kind = Literal["read", "write", "destructive", "setup", "admin"]
_PRESETS: tuple[Preset, ...] = get_args(Preset)
"""From least to most: each holds the tools of those before it."""
_SCOPES = {"reader": "read", "messenger": "send", "setup": "setup", "admin": "admin"}
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
    def scope(self) -> str:
        """What a key needs for it."""
        return _SCOPES[self.preset]

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
        return caller.may(self.scope) and _PRESETS.index(self.preset) <= _PRESETS.index(
            caller.preset
        )

    def closing(self, error: MessengersError | None = None) -> str:
        """The last words of an error: what has become of the act. None: nothing is known of it."""
        if self.kind == "read":
            return ""
        if isinstance(error, Uncertain) or error is None:
            return DOUBT_OF_CHANGE if self.changes else DOUBT
        return _NOTHING["setup" if self.changes else self.kind]


def _group(function: Callable[..., Any], kind: Kind, *, repeatable: bool = False) -> Row:
    preset: Preset = "reader" if kind == "read" else "messenger"
    return Row(function, kind, preset, repeatable, toolset="groups", changes=True)


def _rule(function: Callable[..., Any], kind: Kind) -> Row:
    return Row(function, kind, "admin", repeatable=True, toolset="access", changes=True)


TABLE = (
    Row(instances.list_instances, "read", "reader"),
    Row(chats.list_chats, "read", "reader"),
    Row(messages.list_recent_messages, "read", "reader"),
    Row(messages.read_messages, "read", "reader"),
    Row(messages.search_messages, "read", "reader"),
    Row(messages.get_message, "read", "reader"),
    Row(chats.find_contacts, "read", "reader"),
    Row(media.get_media, "read", "reader"),
    Row(messages.wait_for_messages, "read", "reader"),
    Row(sending.send_message, "write", "messenger"),
    Row(sending.edit_message, "write", "messenger", repeatable=True),
    Row(sending.delete_message, "destructive", "messenger", repeatable=True),
    Row(sending.forward_message, "write", "messenger"),
    Row(sending.react, "write", "messenger", repeatable=True),
    Row(chats.mark_read, "write", "messenger", repeatable=True),
    Row(setup.create_instance, "setup", "setup"),
    Row(setup.connect_instance, "setup", "setup", repeatable=True),
    Row(setup.disconnect_instance, "setup", "setup", repeatable=True),
    Row(setup.get_qr, "setup", "setup", repeatable=True),
    Row(instances.get_instance, "read", "setup"),
    Row(setup.delete_instance, "destructive", "admin", repeatable=True),
    Row(audit.list_audit, "read", "admin"),
    Row(letters.list_dead_letters, "read", "admin"),
    Row(letters.replay_dead_letter, "admin", "admin", repeatable=True),
    Row(bulk.send_bulk, "write", "admin"),
    Row(bulk.bulk_status, "read", "admin"),
    Row(bulk.control_bulk, "admin", "admin", repeatable=True),
    Row(bulk.list_scheduled, "read", "admin"),
    Row(bulk.cancel_scheduled, "admin", "admin", repeatable=True),
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
    Row(rich.send_location, "write", "messenger", toolset="rich"),
    Row(rich.send_contact, "write", "messenger", toolset="rich"),
    Row(rich.send_poll, "write", "messenger", toolset="rich"),
    Row(rich.send_buttons, "write", "messenger", toolset="rich"),
    Row(rich.send_sticker, "write", "messenger", toolset="rich"),
    Row(rich.pin_message, "write", "messenger", repeatable=True, toolset="rich"),
    Row(rich.arrange_chat, "write", "messenger", repeatable=True, toolset="rich", changes=True),
)
