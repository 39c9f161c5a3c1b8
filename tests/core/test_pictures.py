"""What a file is by its own bytes, and pictures for models."""

import struct
import wave
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from messengers.core.pictures import MODEL_SIDE, RASTER_MIMES, Looks, for_model, look
from messengers.errors import InvalidInput

MANY = 50_000_000


def picture(kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> bytes:
    out = BytesIO()
    colour = {"P": 1, "RGBA": (255, 0, 0, 100)}.get(mode, "red")
    Image.new(mode, size, colour).save(out, kind)
    return out.getvalue()


def animation(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    frames = [Image.new("RGB", size, colour) for colour in ("red", "green", "blue")]
    out = BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def sound() -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(80))
    return out.getvalue()


@pytest.mark.case("S44")
@pytest.mark.parametrize(
    ("data", "kind", "mime"),
    [
        (picture("PNG"), "image", "image/png"),
        (picture("JPEG"), "image", "image/jpeg"),
        (picture("WEBP"), "image", "image/webp"),
        (picture("GIF"), "image", "image/gif"),
        (animation("GIF"), "image", "image/gif"),
        (animation("WEBP"), "image", "image/webp"),
        (picture("TIFF"), "document", "application/octet-stream"),
        (sound(), "audio", "audio/wav"),
        (b"OggS" + bytes(20), "audio", "audio/ogg"),
        (b"ID3\x04" + bytes(20), "audio", "audio/mpeg"),
        (b"fLaC" + bytes(20), "audio", "audio/flac"),
        (b"\x00\x00\x00\x18ftypM4A " + bytes(8), "audio", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(8), "video", "video/mp4"),
        (b"\x00\x00\x00\x18ftypqt  " + bytes(8), "video", "video/quicktime"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(8), "document", "image/heic"),
        (b"\x00\x00\x00\x18ftypavif" + bytes(8), "document", "image/avif"),
        (b"\x1aE\xdf\xa3" + bytes(8), "video", "video/webm"),
        (b"%PDF-1.7\n", "document", "application/pdf"),
        (b"PK\x03\x04" + bytes(8), "document", "application/zip"),
        (b"\x1f\x8b\x08" + bytes(8), "document", "application/gzip"),
        (b"<html><script>", "document", "text/plain"),
        (b"<svg xmlns='x' onload='y'/>", "document", "text/plain"),
        ("привет\n".encode(), "document", "text/plain"),
        (b"text\x00with nul", "document", "application/octet-stream"),
        (b"\xff\xfe\x00\x01", "document", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(data: bytes, kind: str, mime: str) -> None:
    looks = look(data, MANY)

    assert (looks.kind, looks.mime) == (kind, mime)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_pictures_measures_are_told(kind: str) -> None:
    looks = look(picture(kind, (123, 45)), MANY)

    assert (looks.width, looks.height) == (123, 45)


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + picture("GIF")[10:]


def jpeg(width: int, height: int) -> bytes:
    data = picture("JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def webp(form: bytes, head: bytes) -> bytes:
    data = form + struct.pack("<I", len(head)) + head + bytes(200)
    return b"RIFF" + struct.pack("<I", len(data) + 4) + b"WEBP" + data


WEBPS = {
    "extended": webp(b"VP8X", bytes(4) + (49_999).to_bytes(3, "little") * 2),
    "lossless": webp(b"VP8L", b"\x2f" + (0x3FFF | 0x3FFF << 14).to_bytes(4, "little")),
    "lossy": webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383)),
}


@pytest.mark.case("S45")
@pytest.mark.parametrize(
    "data",
    [
        png(50_000, 50_000),
        png(10_000, 9_000),
        png(8_000, 8_000),
        gif(60_000, 60_000),
        jpeg(65_000, 65_000),
        *WEBPS.values(),
    ],
    ids=["png", "png of a warning", "png of our limit", "gif", "jpeg", *WEBPS],
)
def test_too_many_pixels_are_refused_by_the_header(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="megapixels"):
        look(data, MANY)


@pytest.mark.case("S45")
def test_the_limit_is_the_owners() -> None:
    assert look(picture("PNG", (100, 100)), 10_000) == Looks("image", "image/png", 100, 100)
    with pytest.raises(InvalidInput, match=r"0\.01 megapixels"):
        look(picture("PNG", (101, 100)), 10_000)


@pytest.mark.case("S44")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"\xff\xd8\xff",
        picture("PNG")[:30],
        WEBPS["lossy"][:20],
        webp(b"ABCD", b""),
        b"\xff\xd8\xff" + bytes(500),
    ],
)
def test_a_broken_picture_is_no_picture(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        look(data, MANY)


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.binary(max_size=40), st.integers(0, 300))
def test_no_bytes_make_it_fail_otherwise(kind: str, noise: bytes, at: int) -> None:
    data = picture(kind)
    try:
        looks = look(data[:at] + noise + data[at + len(noise) :], MANY)
    except InvalidInput:
        return

    assert looks.kind in ("image", "document", "audio", "video")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_small_picture_goes_to_the_model_as_it_is(kind: str) -> None:
    data = picture(kind)

    assert for_model(data, f"image/{kind.lower()}") == (data, f"image/{kind.lower()}")


@pytest.mark.parametrize(
    ("kind", "mode", "mime"),
    [
        ("PNG", "RGB", "image/jpeg"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "L", "image/jpeg"),
        ("WEBP", "RGBA", "image/png"),
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("GIF", "P", "image/jpeg"),
    ],
)
def test_a_large_picture_is_scaled_for_the_model(kind: str, mode: str, mime: str) -> None:
    data, found = for_model(picture(kind, (4_000, 1_000), mode), f"image/{kind.lower()}")
    with Image.open(BytesIO(data)) as scaled:
        size = scaled.size

    assert found == mime
    assert found in RASTER_MIMES
    assert size == (MODEL_SIDE, MODEL_SIDE // 4)


def test_a_picture_lies_on_its_side_no_longer() -> None:
    image, out = Image.new("RGB", (4_000, 1_000), "red"), BytesIO()
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(out, "JPEG", exif=exif)
    with Image.open(BytesIO(for_model(out.getvalue(), "image/jpeg")[0])) as scaled:
        upright = ImageOps.exif_transpose(scaled).size

    assert upright == (MODEL_SIDE // 4, MODEL_SIDE)


@pytest.mark.parametrize("cut", [60, 100, 130])
def test_a_damaged_picture_never_reaches_the_model(cut: int) -> None:
    noise = Image.effect_noise((100, 100), 50)
    out = BytesIO()
    noise.save(out, "PNG")

    with pytest.raises(InvalidInput):
        for_model(out.getvalue()[:cut], "image/png")
