"""What a message says: its text, files and the rest, so that nothing the app shows is left out.

The fields are those of https://core.telegram.org/bots/api#message.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from messengers.models import Attachment, Card, Location, MediaKind, Poll
from messengers.providers.telegram.announcements import amount, is_service, service_words
from messengers.providers.telegram.limits import CLOUD_DOWNLOAD_BYTES
from messengers.providers.telegram.people import Json, name_of, title_of
from messengers.providers.telegram.rich import inner_blocks, rich_lines

__all__ = ["Body", "option_texts", "read"]

_FILES: dict[str, tuple[MediaKind, str]] = {
    "animation": ("gif", "video/mp4"),
    "audio": ("audio", "audio/mpeg"),
    "document": ("document", ""),
    "video": ("video", "video/mp4"),
    "video_note": ("video", "video/mp4"),
    "voice": ("voice", "audio/ogg"),
    "voice_note": ("voice", "audio/ogg"),
}
"""Fields that are one file: its kind, and its type where it says none."""


@dataclass(frozen=True, slots=True)
class Body:
    """A message in the words of the contract."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    contact: Card | None = None
    poll: Poll | None = None
    buttons: tuple[str, ...] = ()
    is_service: bool = False
    """The app shows it between the messages."""


def read(message: Json) -> Body:
    """What a message says. Never empty."""
    body = _content(message)
    text = "\n".join(part for part in (_forwarded(message), _quoted(message), body.text) if part)
    return replace(body, text=text, buttons=tuple(_buttons(message)))


def _content(message: Json) -> Body:
    if "text" in message:
        return Body(text=_linked(message["text"], message.get("entities", ())))
    for name, reader in _READERS.items():
        if name in message:
            return reader(message)
    caption = _linked(message.get("caption", ""), message.get("caption_entities", ()))
    files = tuple(_files(message))
    if files:
        return Body(text=caption, attachments=files)
    return Body(text=f"({service_words(message)})", is_service=is_service(message))


def _files(message: Json) -> Iterator[Attachment]:
    if "photo" in message:
        yield _photo(message["photo"])
    if "live_photo" in message:
        yield from _file(message["live_photo"], "video", "video/mp4")
        return
    for name, (kind, mime) in _FILES.items():
        # An animation is told as a document too, for old programs.
        if name in message and not (name == "document" and "animation" in message):
            yield from _file(message[name], kind, mime)


def _photo(sizes: Sequence[Json]) -> Attachment:
    largest = max(sizes, key=lambda size: size["width"] * size["height"])
    return Attachment(
        kind="image",
        native_ref=largest["file_id"],
        mime="image/jpeg",
        size_bytes=largest.get("file_size"),
        width=largest["width"],
        height=largest["height"],
    )


def _file(file: Json, kind: MediaKind, mime: str) -> Iterator[Attachment]:
    """A file; of one that is too large for bots to fetch also the picture that shows it."""
    side = file.get("length")
    size = file.get("file_size")
    yield Attachment(
        kind=kind,
        native_ref=file["file_id"],
        mime=file.get("mime_type", mime),
        name=file.get("file_name") or file.get("title") or "",
        size_bytes=size,
        duration_s=file.get("duration"),
        width=file.get("width", side),
        height=file.get("height", side),
    )
    if size and size > CLOUD_DOWNLOAD_BYTES and "thumbnail" in file:
        yield _photo([file["thumbnail"]]).model_copy(update={"name": "thumbnail.jpg"})


def _sticker(message: Json) -> Body:
    sticker = message["sticker"]
    mime = "image/webp"
    if sticker.get("is_animated"):
        mime = "application/gzip"
    elif sticker.get("is_video"):
        mime = "video/webm"
    file = Attachment(
        kind="sticker",
        native_ref=sticker["file_id"],
        mime=mime,
        size_bytes=sticker.get("file_size"),
        width=sticker.get("width"),
        height=sticker.get("height"),
    )
    return Body(text=sticker.get("emoji", ""), attachments=(file,))


def _paid(message: Json) -> Body:
    """Media behind a price: the account sees what it bought or sent, else only that it is there."""
    paid = message["paid_media"]
    files: list[Attachment] = []
    for each in paid["paid_media"]:
        files += _files(each)
    caption = _linked(message.get("caption", ""), message.get("caption_entities", ()))
    said = f"(paid media for {amount(paid['star_count'], 'XTR')})"
    return Body(text=f"{said}\n{caption}".rstrip(), attachments=tuple(files))


def _location(message: Json) -> Body:
    place = message["location"]
    venue = message.get("venue", {})
    title = ", ".join(part for part in (venue.get("title"), venue.get("address")) if part)
    found = Location(latitude_deg=place["latitude"], longitude_deg=place["longitude"], title=title)
    point = f"{found.latitude_deg:.6f}, {found.longitude_deg:.6f}"
    kind = "Live location" if "live_period" in place else "Location"
    return Body(text=f"{kind}: {title} ({point})" if title else f"{kind}: {point}", location=found)


def _contact(message: Json) -> Body:
    contact = message["contact"]
    phone = contact["phone_number"]
    phone = phone if phone.startswith("+") else f"+{phone}"
    card = Card(name=name_of(contact), phone=phone)
    return Body(text=f"Contact: {card.name}, {card.phone}", contact=card)


def option_texts(poll: Json) -> tuple[str, ...]:
    """The options of a poll, in their order."""
    return tuple(str(option["text"]) for option in poll["options"])


def _poll(message: Json) -> Body:
    poll = message["poll"]
    options = option_texts(poll)
    found = Poll(
        question=poll["question"],
        options=options,
        votes=tuple(option["voter_count"] for option in poll["options"]),
        multiple=poll["allows_multiple_answers"],
    )
    what = "Quiz" if poll["type"] == "quiz" else "Poll"
    about = [poll["description"]] if poll.get("description") else []
    lines = (f"{what}: {found.question}", *about, *(f"- {option}" for option in options))
    return Body(text="\n".join(lines), poll=found)


def _checklist(message: Json) -> Body:
    checklist = message["checklist"]
    tasks = (
        f"- [{'x' if task.get('completion_date') else ' '}] {task['text']}"
        for task in checklist["tasks"]
    )
    return Body(text="\n".join((f"Checklist: {checklist['title']}", *tasks)))


def _game(message: Json) -> Body:
    game = message["game"]
    said = (f"Game: {game['title']}", game["description"], game.get("text", ""))
    return Body(text="\n".join(part for part in said if part))


def _invoice(message: Json) -> Body:
    invoice = message["invoice"]
    price = amount(invoice["total_amount"], invoice["currency"])
    return Body(text=f"Invoice: {invoice['title']}, {price}\n{invoice['description']}".rstrip())


def _dice(message: Json) -> Body:
    return Body(text=f"{message['dice']['emoji']} (shows {message['dice']['value']})")


def _story(message: Json) -> Body:
    return Body(text=f"(a story of {title_of(message['story']['chat'])})")


def _rich(message: Json) -> Body:
    blocks = message["rich_message"]["blocks"]
    files = tuple(file for block in inner_blocks(blocks) for file in _files(block))
    return Body(text="\n".join(rich_lines(blocks)) or "(a rich message)", attachments=files)


def _linked(text: str, entities: Sequence[Json]) -> str:
    """The text, with the address of each link that hides behind words."""
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - any JSON
        raise TypeError("a text that is none")
    links = [entity for entity in entities if entity["type"] == "text_link"]
    if not links:
        return text
    # Telegram counts in UTF-16 units.
    data = text.encode("utf-16-le", "surrogatepass")
    for link in sorted(links, key=lambda each: each["offset"] + each["length"], reverse=True):
        end = (link["offset"] + link["length"]) * 2
        address = f" ({link['url']})".encode("utf-16-le", "surrogatepass")
        data = data[:end] + address + data[end:]
    return data.decode("utf-16-le", "surrogatepass")


def _forwarded(message: Json) -> str:
    """Whose words these are, where they are not the sender's."""
    origin = message.get("forward_origin")
    if origin is None or message.get("is_automatic_forward"):
        return ""
    match origin["type"]:
        case "user":
            name = name_of(origin["sender_user"])
        case "hidden_user":
            name = origin["sender_user_name"]
        case "chat":
            name = title_of(origin["sender_chat"])
        case _:
            name = title_of(origin["chat"])
    return f"(forwarded from {name})"


def _quoted(message: Json) -> str:
    """What is answered, where that is no whole message of this chat."""
    if "reply_to_story" in message:
        return f"(answers a story of {title_of(message['reply_to_story']['chat'])})"
    quote = message.get("quote", {})
    if not quote or not (quote.get("is_manual") or "external_reply" in message):
        return ""
    return "\n".join(f"> {line}" for line in quote["text"].split("\n"))


def _buttons(message: Json) -> Iterator[str]:
    for row in message.get("reply_markup", {}).get("inline_keyboard", ()):
        for button in row:
            yield button["text"]


_READERS = {
    "rich_message": _rich,
    "sticker": _sticker,
    "paid_media": _paid,
    "venue": _location,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "checklist": _checklist,
    "game": _game,
    "invoice": _invoice,
    "dice": _dice,
    "story": _story,
}
