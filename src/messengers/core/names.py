"""Names and numbers as people write them, folded so that they compare."""

from functools import lru_cache

from messengers.store.search import fold

__all__ = ["escape_like", "fold_handle", "fold_name", "fold_phone"]


@lru_cache(maxsize=4096)
def fold_name(name: str) -> str:
    """Case, ё/е, emoji, punctuation and spaces dropped: `Анна 🌸` and `анна` are the same."""
    return "".join(char for char in fold(name) if char.isalnum())


def fold_handle(text: str) -> str:
    """A username without @, in lower case."""
    return text.strip().removeprefix("@").lower()


def fold_phone(text: str, region: str | None = None) -> str:
    """E.164 of what is written as a phone number, else ''.

    Digits of any script, spaces, dashes and a WhatsApp suffix are understood; without + the
    number needs a `region`.
    """
    # Here, because a stdio client waits for what the daemon loads at its start.
    import phonenumbers

    bare = text.strip().split("@", 1)[0].split(":", 1)[0]
    try:
        number = phonenumbers.parse(bare, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def escape_like(text: str) -> str:
    r"""For LIKE with ESCAPE '\\': what the text means is only itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
