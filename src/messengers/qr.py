"""A QR code in every form it is shown in: a picture, a drawing for pages, blocks of text."""

from functools import lru_cache
from io import BytesIO

import segno

__all__ = ["blocks", "png", "svg"]

_BORDER = 4
"""Modules of quiet around it, as ISO/IEC 18004 wants them."""


def png(text: str) -> bytes:
    """A picture large enough for a phone's camera."""
    stream = BytesIO()
    segno.make(text, micro=False).save(stream, kind="png", scale=8, border=_BORDER)
    return stream.getvalue()


@lru_cache(maxsize=4)
def svg(text: str) -> str:
    """A drawing that scales, black on white whatever colours the page has.

    The last few stay: a page asks once a second, and drawing takes the daemon 40 ms.
    """
    stream = BytesIO()
    code = segno.make(text, micro=False)
    colours = {"dark": "#000", "light": "#fff"}
    code.save(stream, kind="svg", border=_BORDER, xmldecl=False, omitsize=True, **colours)
    return stream.getvalue().decode("utf-8")


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
