"""Telegram counts in UTF-16 units."""

__all__ = ["utf16_length", "utf16_slice"]


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def utf16_slice(text: str, offset: int, length: int) -> str:
    wide = text.encode("utf-16-le")
    return wide[2 * offset : 2 * (offset + length)].decode("utf-16-le")
