"""The words of documents: read elsewhere, within bounds, or said not to be."""

import sys
import zlib
from collections.abc import Callable
from io import BytesIO, StringIO
from zipfile import ZIP_DEFLATED, ZipFile

import docx
import openpyxl
import pptx
import pytest
from pptx.util import Cm

from messengers.core import office, pdf
from messengers.core.children import ask_program
from messengers.core.confined import LOCKED, OTHER
from messengers.core.documents import Documents, Words
from messengers.core.media import MediaContent
from messengers.errors import NotReady
from messengers.models import Attachment
from tests.fakes.papers import paper


def content(data: bytes, mime: str = "application/pdf") -> MediaContent:
    return MediaContent(attachment=Attachment(kind="document", mime=mime), data=data)


async def test_the_words_of_a_pdf_are_read() -> None:
    words = await Documents().words(content(paper("Two cakes", "Three tarts")))

    assert words == Words("Two cakes\n\nThree tarts", "2 pages")


async def test_text_is_its_own() -> None:
    words = await Documents().words(content("Привет\xff".encode("latin-1", "ignore"), "text/plain"))

    assert words == Words("\ufffd")


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (paper(""), "1 page without text: pictures, or a scan."),
        (paper("x", password="secret"), "It wants a password."),
        (b"%PDF-1.7 nothing more", "It cannot be read: damaged, or too much to read."),
        (b"", "It cannot be read: damaged, or too much to read."),
    ],
    ids=["blank", "locked", "damaged", "empty"],
)
async def test_what_has_no_words_says_why(data: bytes, note: str) -> None:
    assert await Documents().words(content(data)) == Words(note=note)


@pytest.mark.case("S46")
@pytest.mark.parametrize("mime", ["application/gzip", "video/mp4"])
async def test_what_is_no_document_is_not_opened(mime: str) -> None:
    assert await Documents().words(content(b"PK\x03\x04", mime)) is None


def letter() -> bytes:
    document = docx.Document()
    document.add_paragraph("Dear Ann,")
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "cakes", "two"
    document.add_paragraph("Привет\nBob")
    return saved(document.save)


def sums() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "March"
    sheet.append(["cakes", 2, None])
    sheet.append([None, None, None])
    sheet.append(["tarts", 3.5, None])
    book.create_sheet("April")
    return saved(book.save)


def talk() -> bytes:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    assert slide.shapes.title is not None
    slide.shapes.title.text = "Cakes"
    slide.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(1)).text_frame.text = "Two a day"
    grid = slide.shapes.add_table(1, 2, Cm(1), Cm(3), Cm(5), Cm(1)).table
    grid.cell(0, 0).text, grid.cell(0, 1).text = "tarts", "3"
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(5), Cm(5), Cm(1)).text_frame.text = "grouped"
    assert slide.notes_slide.notes_text_frame is not None
    slide.notes_slide.notes_text_frame.text = "say it slowly"
    return saved(show.save)


def saved(save: Callable[[BytesIO], None]) -> bytes:
    file = BytesIO()
    save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (letter(), Words("Dear Ann,\ncakes\ttwo\nПривет\nBob", "1 part")),
        (sums(), Words("March\ncakes\t2\ntarts\t3.5\n\nApril", "2 parts")),
        (talk(), Words("Cakes\nTwo a day\ntarts\t3\ngrouped\nsay it slowly", "1 part")),
    ],
    ids=["docx", "xlsx", "pptx"],
)
async def test_the_words_of_an_office_document_are_read(data: bytes, words: Words) -> None:
    out = StringIO()

    assert await Documents().words(content(data, "application/zip")) == words
    assert office.main(BytesIO(data), out) == 0
    assert out.getvalue().count("\f") == int(words.note.split()[0])


def archive(**files: bytes) -> bytes:
    def save(file: BytesIO) -> None:
        with ZipFile(file, "w", ZIP_DEFLATED) as made:
            for name, data in files.items():
                made.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)

    return saved(save)


@pytest.mark.case("S46")
async def test_an_archive_is_not_opened_and_one_that_unfolds_beyond_bounds_is_not_read() -> None:
    refused = Words(note="It cannot be read: damaged, or too much to read.")
    plain, bomb = archive(letter_xml=b"<a/>"), archive(word__document_xml=bytes(80 * 1024 * 1024))
    damaged = archive(xl__workbook_xml=b"<workbook>", word_xml=b"")

    assert await Documents().words(content(plain, "application/zip")) is None
    assert office.main(BytesIO(plain), StringIO()) == OTHER
    assert len(bomb) < 100_000
    for each in (bomb, damaged, b"PK\x03\x04", b""):
        assert await Documents().words(content(each, "application/zip")) == refused
    assert office.main(BytesIO(bomb), StringIO()) == 1


@pytest.mark.case("S46")
async def test_a_document_that_names_files_of_this_machine_does_not_get_them() -> None:
    told = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname">]>
    <w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
    <w:body><w:p><w:r><w:t>here: &file;!</w:t></w:r></w:p></w:body></w:document>"""
    with ZipFile(BytesIO(letter())) as made:
        parts = {name: made.read(name) for name in made.namelist()} | {"word/document.xml": told}

    def save(file: BytesIO) -> None:
        with ZipFile(file, "w") as forged:
            for name, data in parts.items():
                forged.writestr(name, data)

    words = await Documents().words(content(saved(save), "application/zip"))

    assert words is not None
    assert words.text in {"here: !", "here:"}


def unfolding(size_mib: int) -> bytes:
    """A PDF of some kilobytes whose page is so long, packed twice."""
    packing = zlib.compressobj(1)
    once = [packing.compress(bytes(1024 * 1024)) for _ in range(size_mib)]
    packed = zlib.compress(b"".join([*once, packing.flush()]), 9)
    stream = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n" % len(packed)
    body = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    body += b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    body += b"3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n"
    body += b"4 0 obj\n" + stream + packed + b"\nendstream\nendobj\n"
    return body + b"trailer\n<< /Root 1 0 R /Size 5 >>\n%%EOF\n"


@pytest.mark.case("S46")
async def test_a_pdf_that_unfolds_beyond_bounds_is_not_read() -> None:
    bomb = unfolding(300)

    words = await Documents().words(content(bomb))

    assert len(bomb) < 100_000
    assert words == Words(note="It cannot be read: damaged, or too much to read.")


async def test_what_takes_too_long_is_ended_and_what_came_is_kept() -> None:
    slow = (
        sys.executable,
        "-c",
        "import sys, time; print('first page\\f', end='', flush=True); time.sleep(60)",
    )

    words = await Documents(slow, deadline_s=1.5).words(content(paper("x")))

    assert words == Words("first page", "1 page could be read, not the rest.")


def test_the_reader_stops_at_its_share() -> None:
    out = StringIO()

    assert pdf.main(BytesIO(paper("a" * 150_000, "b" * 150_000, "c")), out) == 0
    assert out.getvalue() == "a" * 150_000 + "\f" + "b" * 50_000 + "\f"
    assert pdf.main(BytesIO(paper("x", password="secret")), out) == LOCKED


async def test_a_program_has_neither_our_settings_nor_the_last_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESSENGERS_PORT", "1")
    monkeypatch.setenv("BANK_TOKEN", "secret")
    told = await ask_program(
        [sys.executable, "-c", "import os; print(sorted(os.environ))"],
        b"",
        deadline_s=10,
        max_bytes=10_000,
    )
    endless = await ask_program(
        [sys.executable, "-c", "while True: print('x' * 1000)"],
        b"",
        deadline_s=10,
        max_bytes=5_000,
    )

    assert told.code == 0
    assert b"MESSENGERS" not in told.out
    assert b"BANK" not in told.out
    assert (endless.code, len(endless.out)) == (None, 5_000)


async def test_a_program_that_does_not_exist_is_said() -> None:
    with pytest.raises(NotReady):
        await ask_program(["/nowhere/program"], b"", deadline_s=1, max_bytes=1)
