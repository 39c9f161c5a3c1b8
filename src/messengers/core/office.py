"""The text of an office document (docx, xlsx, pptx), read in a process of its own.

`python -m messengers.core.office`. These are archives of XML. What one says it holds is added up
before anything of it is unpacked; what it does not say ends at the bounds of the process.
"""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, TextIO
from zipfile import ZipFile

from messengers.core.confined import MISSING, OTHER, hand_on, serve

if TYPE_CHECKING:
    from docx.table import Table
    from pptx.shapes.base import BaseShape

__all__ = ["main"]

_MAX_BYTES = 64 * 1024 * 1024
_MAX_FILES = 5_000


def main(source: BinaryIO, out: TextIO) -> int:
    """Write the text, of a table or a presentation by its sheets or slides. Returns the exit code.

    A damaged file raises anything.
    """
    data = source.read()
    with ZipFile(BytesIO(data)) as archive:
        files = {each.filename: each.file_size for each in archive.infolist()}
    read = next((reader for part, reader in _READERS.items() if part in files), None)
    if read is None:
        return OTHER
    if len(files) > _MAX_FILES or sum(files.values()) > _MAX_BYTES:
        return 1
    try:
        hand_on(read(BytesIO(data)), out)
    except ModuleNotFoundError:
        return MISSING
    return 0


def _docx(file: BinaryIO) -> Iterator[str]:
    import docx
    from docx.text.paragraph import Paragraph

    blocks = docx.Document(file).iter_inner_content()
    yield "\n".join(
        block.text if isinstance(block, Paragraph) else _rows(block) for block in blocks
    )


def _xlsx(file: BinaryIO) -> Iterator[str]:
    import openpyxl

    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    for sheet in book.worksheets:
        rows = (
            "\t".join("" if value is None else str(value) for value in row).rstrip()
            for row in sheet.iter_rows(values_only=True)
        )
        yield "\n".join([sheet.title, *(row for row in rows if row)])


def _pptx(file: BinaryIO) -> Iterator[str]:
    import pptx

    for slide in pptx.Presentation(file).slides:
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        said = [*_said(slide.shapes), notes.text if notes else ""]
        yield "\n".join(text for text in said if text)


def _said(shapes: "Iterable[BaseShape]") -> Iterator[str]:
    from pptx.shapes.autoshape import Shape
    from pptx.shapes.graphfrm import GraphicFrame
    from pptx.shapes.group import GroupShape

    for shape in shapes:
        match shape:
            case GroupShape():
                yield from _said(shape.shapes)
            case GraphicFrame(has_table=True):
                for row in shape.table.rows:
                    yield "\t".join(cell.text for cell in row.cells)
            case Shape():
                yield shape.text_frame.text
            case _:
                pass


def _rows(table: "Table") -> str:
    return "\n".join("\t".join(cell.text for cell in row.cells) for row in table.rows)


_READERS: dict[str, Callable[[BinaryIO], Iterator[str]]] = {
    "word/document.xml": _docx,
    "xl/workbook.xml": _xlsx,
    "ppt/presentation.xml": _pptx,
}
"""By the part that only a file of its kind holds."""


if __name__ == "__main__":  # pragma: no cover — the process of its own has no coverage
    serve(main)
