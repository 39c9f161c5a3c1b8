"""Words that depend on a number, as people and models read them."""

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """`1 chat`, `0 chats`, `1,200 characters`: for nouns that take an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
