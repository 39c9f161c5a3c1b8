"""One form for every spelling of a person, so that a rule for one holds for all of them.

A key is an E.164 number (`+7900…`), a username (`@anna`), or a messenger's own id. WhatsApp writes
the same person as a number, `7900…@s.whatsapp.net`, `7900…:12@s.whatsapp.net` (one device of his)
and `…@lid`; owners write numbers with spaces, in other digits, or without their country.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from messengers.core.names import fold_handle, fold_phone

__all__ = ["handle_key", "id_key", "keys_of", "phone_key"]

_JID = re.compile(r"([^@:.\s]+)(?:\.\d+)?(?::\d+)?@([a-z.]+)")
"""user, agent, device, server: https://pkg.go.dev/go.mau.fi/whatsmeow/types#JID."""
_NUMBER = "s.whatsapp.net"
_SERVERS = {_NUMBER: _NUMBER, "c.us": _NUMBER, "hosted": _NUMBER, "lid": "lid", "hosted.lid": "lid"}
"""What WhatsApp calls people's servers, and what of them is the same."""


@lru_cache(maxsize=8192)
def phone_key(text: str, region: str | None = None) -> str:
    """A number as it compares, '' for what is none; without + it needs a `region`, such as RU."""
    return fold_phone(text, region)


def handle_key(text: str) -> str:
    """A username as it compares, '' for none."""
    folded = fold_handle(unicodedata.normalize("NFKC", text))
    return f"@{folded}" if folded else ""


@lru_cache(maxsize=8192)
def id_key(text: str) -> str:
    """A messenger's id as it compares: a number where it is only another way to write one."""
    written = _with_plain_digits(text.strip())
    found = _JID.fullmatch(written.lower())
    server = _SERVERS.get(found[2]) if found else None
    if found is None or server is None:
        return written
    user = found[1].removeprefix("+")
    if server == _NUMBER and user.isdigit():
        return phone_key(f"+{user}") or f"{user}@{server}"
    return f"{user}@{server}"


def keys_of(native_ids: Iterable[str] = (), phone: str = "", username: str = "") -> frozenset[str]:
    """Every key under which somebody is known."""
    found = {id_key(each) for each in native_ids if each}
    found |= {phone_key(phone) or phone, handle_key(username)}
    return frozenset(found - {""})


def _with_plain_digits(text: str) -> str:
    """Digits of any script as 0 to 9; everything else as it stands."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)
