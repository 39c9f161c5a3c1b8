"""Secrets taken out of text: the one choke point for logs, errors and answers.

Patterns are open-ended on purpose: one that counts characters leaves the rest of a longer token
standing. What has no shape of its own is registered by whoever reads or makes it.
"""

import json
import re
from collections.abc import Container, Iterable, Mapping
from typing import cast
from urllib.parse import quote

__all__ = [
    "escape",
    "is_secret_name",
    "redact",
    "redact_answer",
    "redact_texts",
    "redact_value",
    "register_secret",
]

MASK = "[redacted]"
_SHORTEST = 6
"""A registered value below this would blank ordinary words."""

_OF_BOTS = r"(?<![A-Za-z0-9])(bot)?\d{5,}(?::|%3A)[A-Za-z0-9_-]{16,}"
_SHAPES = tuple(
    (hint, re.compile(pattern, flags), replacement)
    for hint, pattern, flags, replacement in (
        # PEM blocks, also cut short.
        (
            "private key-----",
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)",
            re.DOTALL,
            MASK,
        ),
        # user:password@ in a URL.
        ("://", r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)", 0, MASK),
        (
            "bearer",
            r"\b(bearer)\s+(?!\[redacted\])[^\s\"',;)}\]\\]{10,}",
            re.IGNORECASE,
            rf"\1 {MASK}",
        ),
        # Telegram bot tokens: in a path (`/bot123:abc/`), bare, URL-quoted.
        (re.compile(r":[\w-]{16}"), _OF_BOTS, re.IGNORECASE, rf"\1{MASK}"),
        ("%3a", _OF_BOTS, re.IGNORECASE, rf"\1{MASK}"),
        # Slack, our own keys, Meta, common API keys.
        ("xox", r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{4,}", 0, MASK),
        ("xapp-", r"\bxapp-[A-Za-z0-9-]{4,}", 0, MASK),
        ("msk_", r"\bmsk_[A-Za-z0-9_-]+", 0, MASK),
        ("mst_", r"\bmst_[A-Za-z0-9_-]+", 0, MASK),
        ("eaa", r"\bEAA[A-Za-z0-9]{16,}", 0, MASK),
        ("sk-", r"\bsk-[A-Za-z0-9_-]{12,}", 0, MASK),
        # Discord tokens and JWTs: three base64 parts, the first with a digit and a capital.
        # Tried once per run of such characters: at every dash it would take minutes for one text.
        (
            re.compile(r"\.[\w-]{5,}\.[\w-]{20}"),
            r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{17,}\.[\w-]{5,}\.[\w-]{20,}",
            0,
            MASK,
        ),
        # What a WhatsApp QR code holds: `2@…,…,…`.
        ("@", r"(?<!\w)\d@[A-Za-z0-9+/=,@_-]{20,}", 0, MASK),
    )
)
"""(hint, shape, replacement). The hint stands in every match, in lower case, and is found in a
hundredth of the time: answers of a few kilobytes pass here by the thousand."""

_NAMES = (
    r"(?:token|secret|password|passwd|passcode|passphrase|credentials?"
    r"|api[-_]?key|private[-_]?key|access[-_]?key|signing[-_]?key|master[-_]?key"
    r"|authorization|cookie|signature|qr(?:[-_]?(?:text|code|string|data))?"
    r"|pair(?:ing)?[-_]?code|session[-_]?data)"
)
_NAME = re.compile(rf"(?:[a-z0-9]+[-_.])*{_NAMES}", re.IGNORECASE)
_QUOTE = r"(?:\\*[\"'])"
_HEADER_VALUE = r"(?:\[redacted\]|[^\"'\r\n\\)}\[\]])+"
_NAMED = tuple(
    (re.compile(pattern, re.IGNORECASE), rf"\1\2{MASK}")
    for pattern in (
        # Headers, also as httpx shows them: `(b'authorization', b'Basic x')`.
        rf"\b(authorization|cookie)({_QUOTE}?\s*[:=,]\s*(?:b?{_QUOTE})?){_HEADER_VALUE}",
        # "name": "value", name='value'.
        rf"(?<![A-Za-z0-9])({_NAMES})({_QUOTE}?\s*[=:]\s*b?{_QUOTE})(?!\[redacted\])[^\"']+",
        # name=value and name: value; `token=@-` on a command line means standard input.
        rf"(?<![A-Za-z0-9])({_NAMES})({_QUOTE}?(?:=|:\s?))(?![\s\"'\[{{(\\]|@-)[^\s\"'&,;)}}\]]+",
    )
)
_VALUE_MAX_CHARS = 20_000
"""Of one value of a structure: patterns take about a millisecond for a thousand characters."""
_CUT_OPEN_CHARS = 5_000
"""Where a text ends too early, a secret may stand that no pattern knows any more."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class _Registered:
    """Secret values that have no recognisable shape.

    Each is looked for by itself: one expression of all of them takes a third of a second to make
    for five hundred, at each new one, and a hundred times as long to match.
    """

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def add(self, value: str) -> None:
        in_json = (json.dumps(value, ensure_ascii=each)[1:-1] for each in (True, False))
        forms = {value, quote(value), quote(value, safe=""), repr(value)[1:-1], *in_json}
        if len(value) >= _SHORTEST:
            # As a whole, since another thread may be looking.
            self._forms = self._forms | forms

    def mask(self, text: str) -> str:
        found = sorted((form for form in self._forms if form in text), key=len, reverse=True)
        return re.sub("|".join(map(re.escape, found)), MASK, text) if found else text


_registered = _Registered()


def register_secret(value: str) -> None:
    """Have `value` masked from now on wherever it stands, also URL-quoted or escaped.

    Call it where a credential is read or a key or code is made. Values below six characters are
    ignored: they would blank ordinary words.
    """
    _registered.add(value)


def redact_answer(text: str) -> str:
    """The text without registered secrets and without what has a token's shape.

    For answers that carry what people wrote: "password: hunter2" in somebody's message is what the
    owner may have asked for, and stays.
    """
    text = _registered.mask(text)
    lowered = text.lower()
    for hint, pattern, replacement in _SHAPES:
        if hint in lowered if isinstance(hint, str) else hint.search(text):
            text = pattern.sub(replacement, text)
    return text


def redact(text: str) -> str:
    """`redact_answer`, and also every value that stands behind a secret's name or header.

    For logs and error sentences, where nobody needs such a value. Redacting twice changes nothing.
    """
    text = redact_answer(text)
    for pattern, replacement in _NAMED:
        text = pattern.sub(replacement, text)
    return text


def is_secret_name(name: str) -> bool:
    """Whether a field, header or parameter of this name holds a secret by its meaning."""
    return _NAME.fullmatch(name) is not None


def redact_value(value: object, name: str = "") -> object:
    """`redact` through mappings and sequences, down to what JSON knows.

    A value under a secret's name is masked whole. A longer text than anybody reads in a log is cut.
    """
    if name and is_secret_name(name):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {redact(str(key)): redact_value(item, str(key)) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(item) for item in cast("Iterable[object]", value)]
    return _redact_start(repr(value) if isinstance(value, BaseException) else str(value))


def redact_texts(value: object, keep: Container[str] = ()) -> object:
    """`redact_answer` on every text of a JSON value, but for what stands under a name of `keep`."""
    match value:
        case str():
            return redact_answer(value)
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            return {key: each if key in keep else redact_texts(each, keep) for key, each in items}
        case list() | tuple():
            return [redact_texts(each, keep) for each in cast("Iterable[object]", value)]
        case _:
            return value


def _redact_start(text: str) -> str:
    """`redact`, and of a very long text only its start, without what the cut laid open."""
    if len(text) <= _VALUE_MAX_CHARS + _CUT_OPEN_CHARS:
        return redact(text)
    # A registered secret may be longer than what is cut off.
    start = _registered.mask(text)[: _VALUE_MAX_CHARS + _CUT_OPEN_CHARS]
    return f"{redact(start)[:-_CUT_OPEN_CHARS]}… ({len(text):,} characters)"


def escape(text: str) -> str:
    """The text on one line, so that no text forges a log line or drives a terminal.

    Control, line-breaking and direction characters become the escapes that JSON knows too.
    """
    return _CONTROL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"
