"""A picture as messengers want a sticker: a transparent WebP square with it in the middle."""

import io

from PIL import Image

__all__ = ["STICKER_PX", "sticker"]

STICKER_PX = 512


def sticker(data: bytes) -> bytes:
    """The bytes of the square. Decodes, so it belongs in a thread.

    Raises OSError for what is no picture.
    """
    with Image.open(io.BytesIO(data)) as picture:
        if picture.format == "WEBP" and picture.size == (STICKER_PX, STICKER_PX):
            return data
        shown = picture.convert("RGBA")
    shown.thumbnail((STICKER_PX, STICKER_PX))
    square = Image.new("RGBA", (STICKER_PX, STICKER_PX), (0, 0, 0, 0))
    corner = (STICKER_PX - shown.width) // 2, (STICKER_PX - shown.height) // 2
    square.paste(shown, corner)
    out = io.BytesIO()
    square.save(out, "WEBP")
    return out.getvalue()
