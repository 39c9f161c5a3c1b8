"""The words of documents: read elsewhere, within bounds, or said not to be."""

import sys
import zlib
from io import BytesIO, StringIO

import pytest

from messengers.core import pdf
from messengers.core.children import ask_program
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
@pytest.mark.parametrize("mime", ["application/zip", "application/gzip", "video/mp4"])
async def test_archives_and_office_files_are_not_opened(mime: str) -> None:
    assert await Documents().words(content(b"PK\x03\x04", mime)) is None


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
    assert pdf.main(BytesIO(paper("x", password="secret")), out) == pdf.LOCKED


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
