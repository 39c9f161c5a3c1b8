"""A QR code as a picture for those who see and as text blocks for those who do not."""

from io import BytesIO

import segno
from mcp.server.mcpserver import Image

__all__ = ["blocks", "picture"]


def picture(text: str) -> Image:
    """A PNG large enough for a phone's camera."""
    stream = BytesIO()
    segno.make(text, micro=False).save(stream, kind="png", scale=8, border=4)
    return Image(data=stream.getvalue(), format="png")


def blocks(text: str) -> str:
    """Half blocks, two rows a line, light on dark: what a dark terminal shows is scannable."""
    rows = [list(row) for row in segno.make(text, micro=False).matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] if len(rows) % 2 else []
    pairs = zip(rows[::2], rows[1::2], strict=True)
    glyphs = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return "\n".join(
        "".join(glyphs[bool(upper), bool(lower)] for upper, lower in zip(*pair, strict=True))
        for pair in pairs
    )
