"""Buttons under a message, as a bot sends them."""

import re

from tests.fakes.telegram.people import Json, words
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call

__all__ = ["inline_keyboard", "keyboard"]

_CALLBACK_DATA_MAX_BYTES = 64
_KINDS = words(
    "url callback_data web_app login_url switch_inline_query switch_inline_query_current_chat "
    "switch_inline_query_chosen_chat copy_text callback_game pay"
)
_URL = re.compile(r"(?:https?|tg|ton)://\S+|(?:[\w-]+\.)+[a-z]{2,}\S*", re.IGNORECASE)


def keyboard(call: Call) -> Json | None:
    """Checked as the server does; None where there is none."""
    markup = call.object("reply_markup")
    if "inline_keyboard" in markup:
        return _inline(markup)
    rows = markup.get("keyboard", [])
    for row in rows:
        if not _is_list(row):
            raise Refused(400, 'field "keyboard" must be an Array of Arrays')
    shown = rows or markup.get("remove_keyboard") or markup.get("force_reply")
    return markup if shown else None


def inline_keyboard(call: Call) -> Json | None:
    """For edits: anything but an inline keyboard is refused."""
    markup = keyboard(call)
    if markup and "inline_keyboard" not in markup:
        raise Refused(400, "inline keyboard expected")
    return markup


def _inline(markup: Json) -> Json | None:
    rows: list[list[Json]] = markup["inline_keyboard"]
    for row in rows:
        if not _is_list(row):
            named = 'field "inline_keyboard" of the InlineKeyboardMarkup'
            raise Refused(400, f"{named} must be an Array of Arrays")
        for button in row:
            _check_button(button)
    kept = [row for row in rows if row]
    return {"inline_keyboard": kept} if kept else None


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _check_button(button: Json) -> None:
    if not button.get("text"):
        raise Refused(400, "inline keyboard button text must be non-empty")
    kinds = [kind for kind in _KINDS if kind in button]
    if not kinds:
        unallowed = "Text buttons are unallowed in the inline keyboard"
        raise Refused(400, f"can't parse inline keyboard button: {unallowed}")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= _CALLBACK_DATA_MAX_BYTES:
        raise Refused(400, "BUTTON_DATA_INVALID")
    if "url" in button and not _URL.fullmatch(button["url"]):
        raise Refused(
            400, f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL"
        )
