"""Whom a rule is for, as an owner writes it."""

import re
from dataclasses import dataclass

from messengers.core.access_views import SubjectKind
from messengers.core.globs import check_glob
from messengers.core.identities import handle_key, id_key, phone_key
from messengers.errors import InvalidInput

__all__ = ["FORMS", "Subject", "read_subject"]

FORMS = (
    "Give a number with + and country code, +7900*, @username, a chat id, a messenger's own id, "
    "a name with *, or any."
)
_WRITTEN_NUMBER = re.compile(r"\+?[\d\s().‐-―-]{3,40}")
_BEGINNING = re.compile(r"\+[\d\s().-]{1,30}\*")
_MAX = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """One of the ways to say who is meant, in the one form that compares."""

    kind: SubjectKind
    text: str
    needs_instance: bool = False
    """It is an id that means nobody, or somebody else, at another messenger."""


def read_subject(written: str, region: str = "") -> Subject:
    """What an owner wrote; `region` (RU) is the country of numbers without one.

    Raises InvalidInput for what says nobody, and for regular expressions.
    """
    text = written.strip()
    if not text or len(text) > _MAX or not text.isprintable():
        raise InvalidInput("That says nobody.", FORMS)
    if text == "any":
        return Subject("any", "")
    if _BEGINNING.fullmatch(text):
        return Subject("phone_prefix", "+" + re.sub(r"\D", "", text))
    if text.startswith("role:"):
        raise InvalidInput(
            "No messenger says with a message what role its sender has.", "Name the people."
        )
    if "*" in text:
        return Subject("glob", check_glob(text))
    if text.startswith("@"):
        return Subject("username", handle_key(text))
    key = id_key(text)
    if key.startswith("+") and key != text:
        return Subject("phone", key)
    if phone := phone_key(text, region.upper() or None):
        return Subject("phone", phone)
    if _WRITTEN_NUMBER.fullmatch(text) and not text.isdecimal():
        raise InvalidInput("That is no phone number.", "Write it with + and country code.")
    check_glob(text)  # it may be meant as an expression
    return Subject("native_id", key, needs_instance="@" not in key)
