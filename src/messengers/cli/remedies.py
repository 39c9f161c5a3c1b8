"""The daemon's advice as a person at a terminal follows it: a command in the place of a tool."""

import re

__all__ = ["COMMANDS", "at_terminal"]

COMMANDS = {
    "list_instances": "instances list",
    "get_instance": "instances show NAME",
    "connect_instance": "instances connect NAME",
    "get_qr": "instances qr NAME",
    "list_chats": "chats find",
    "find_contacts": "chats find",
    "list_groups": "chats find",
    "send_bulk": "bulk list",
    "list_scheduled": "bulk list",
    "list_dead_letters": "dead-letters list",
    "list_access_rules": "access list",
}
"""The tools that advice names, each with the command that shows or does the same."""

_TOOL = "|".join(COMMANDS)
_BOTH = re.compile(rf"\b(?:{_TOOL}),? or (`messengers [^`]+`|(?:{_TOOL})\b),?")
_ONE = re.compile(rf"\b(?:{_TOOL})\b")


def at_terminal(advice: str) -> str:
    """The sentence with commands for its tools; of two ways to the same, the last."""
    return _ONE.sub(lambda tool: f"`messengers {COMMANDS[tool[0]]}`", _BOTH.sub(r"\1", advice))
