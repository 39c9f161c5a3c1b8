"""Texts with names in braces, filled in for one recipient at a time.

A variable is a name and nothing else: no attribute, no index, no format. What is filled in is data:
it is never read for variables itself, and it is escaped, so that no name becomes markup.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from messengers.errors import InvalidInput

__all__ = ["Template", "check_variables", "escaped"]

_TOKEN = re.compile(r"\{\{|\}\}|\{([^\W\d]\w{0,39})\}|[{}]")
_NAME = re.compile(r"[^\W\d]\w{0,39}")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&])")
_MAX_VARIABLES = 20
_MAX_VALUE = 1_000
_BRACES = {"{{": "{", "}}": "}"}
_OURS = frozenset({"name", "phone"})
"""What a recipient has anyway."""


def escaped(text: str) -> str:
    """Plain text as Markdown that shows exactly it."""
    return _SPECIAL.sub(r"\\\1", text)


@dataclass(frozen=True, slots=True)
class Template:
    """A text whose variables are known to be well written."""

    pieces: tuple[str, ...]
    """Text and variables in turn, beginning with text."""

    @classmethod
    def read(cls, text: str) -> "Template":
        """Raises InvalidInput for a brace that neither holds a name nor is doubled."""
        pieces, said, end = list[str](), "", 0
        for token in _TOKEN.finditer(text):
            said += text[end : token.start()]
            end = token.end()
            if token[1] is not None:
                pieces += [said, token[1]]
                said = ""
            elif token[0] in _BRACES:
                said += _BRACES[token[0]]
            else:
                raise InvalidInput(
                    "text has a brace that holds no variable.",
                    "Write {name}, a plain word in braces; {{ and }} are braces themselves.",
                )
        return cls((*pieces, said + text[end:]))

    @property
    def variables(self) -> frozenset[str]:
        """What it asks of every recipient."""
        return frozenset(self.pieces[1::2])

    def fill(self, values: Mapping[str, str], max_chars: int) -> str:
        """The text with the values as they are, in one line each and escaped.

        Raises:
            InvalidInput: it would be longer than `max_chars`; measured before it is made.
        """
        plain = {name: escaped(" ".join(values[name].split())) for name in self.variables}
        parts = [plain[piece] if number % 2 else piece for number, piece in enumerate(self.pieces)]
        if sum(map(len, parts)) > max_chars:
            raise InvalidInput(
                f"The text is longer than {max_chars:,} characters once it is filled in.",
                "Shorten it.",
            )
        return "".join(parts)


def check_variables(variables: Mapping[str, str]) -> None:
    """Raises InvalidInput for names that no text could ask for, and values that are no words."""
    if len(variables) > _MAX_VARIABLES:
        raise InvalidInput(f"It has more than {_MAX_VARIABLES} variables.", "Leave some out.")
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "A variable's name is none.", "Use up to 40 letters, digits and _, no digit first."
            )
        if name in _OURS:
            raise InvalidInput(f"{name} is no variable of its own.", "Name it otherwise.")
        if len(value) > _MAX_VALUE:
            raise InvalidInput(
                f"A variable is longer than {_MAX_VALUE:,} characters.", "Shorten it."
            )
