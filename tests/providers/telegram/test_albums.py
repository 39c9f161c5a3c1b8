"""Several files of one draft: albums where Telegram has them, in the order that was given."""

import pytest

from messengers.models import MediaKind, Outcome
from messengers.providers.base import MediaBytes
from messengers.providers.telegram import calls
from messengers.providers.telegram.uploads import gathered
from tests.providers.telegram.conftest import AGENT, Connected
from tests.providers.telegram.test_outgoing import MP3, MP4, OGG, PDF, picture, uri

PICTURE = uri("image/png", picture())
FILES: dict[str, MediaBytes] = {
    "photo": MediaBytes("image", "image/png", "a.png", picture(), width=40, height=30),
    "banner": MediaBytes("image", "image/png", "b.png", picture(), width=900, height=10),
    "gif": MediaBytes("image", "image/gif", "c.gif", b"GIF89a"),
    "video": MediaBytes("video", "video/mp4", "d.mp4", MP4),
    "voice": MediaBytes("audio", "audio/ogg", "e.ogg", OGG),
    "music": MediaBytes("audio", "audio/mpeg", "f.mp3", MP3),
    "pdf": MediaBytes("document", "application/pdf", "g.pdf", PDF),
    "sticker": MediaBytes("sticker", "image/png", "h.png", picture()),
}


def of_messages(names: str) -> list[str]:
    kinds = {id(file): name for name, file in FILES.items()}
    found = gathered([FILES[name] for name in names.split()])
    return [" ".join(kinds[id(file)] for file in files) for files in found]


@pytest.mark.parametrize(
    ("names", "messages"),
    [
        ("photo", ["photo"]),
        ("photo video photo", ["photo video photo"]),
        ("photo pdf photo", ["photo", "pdf", "photo"]),
        ("pdf banner pdf", ["pdf banner pdf"]),
        ("music music voice voice music", ["music music", "voice", "voice", "music"]),
        ("gif gif sticker sticker", ["gif", "gif", "sticker", "sticker"]),
        ("photo " * 11, ["photo" + " photo" * 9, "photo"]),
    ],
)
def test_neighbours_that_telegram_takes_together_are_one_message(
    names: str, messages: list[str]
) -> None:
    assert of_messages(names) == messages


async def test_pictures_leave_as_one_album_with_the_words_under_it(shop: Connected) -> None:
    ada = shop.somebody()

    answer = await shop.send(ada, "**look**", attachments=(PICTURE, uri("video/mp4", MP4)))

    first, second = shop.bot.sent()
    assert first.extra["media_group_id"] == second.extra["media_group_id"]
    assert ("photo" in first.content, "video" in second.content) == (True, True)
    assert (first.content["caption"], "caption" in second.content) == ("look", False)
    assert len(shop.telegram.asked("sendMediaGroup")) == 1
    stored = [each for each in await shop.messages(ada.id) if each.direction == "out"]
    assert [each.id for each in stored] == [answer.message]
    assert [file.kind for file in stored[0].attachments] == ["image", "video"]
    assert (stored[0].native_id, stored[0].more_ids) == (str(first.id), (str(second.id),))


async def test_an_album_is_edited_and_deleted_as_the_one_message_it_is(shop: Connected) -> None:
    ada = shop.somebody()
    sent = await shop.send(ada, "one", attachments=(PICTURE, PICTURE, PICTURE))

    act = await shop.core.changes.prepare_edit(AGENT, sent.message, "two")
    await shop.core.approvals.perform(act, 10)
    edited = shop.bot.sent()[0].content["caption"]
    act = await shop.core.changes.prepare_delete(AGENT, sent.message)
    await shop.core.approvals.perform(act, 10)

    assert edited == "two"
    assert shop.bot.sent() == []


async def test_an_album_that_telegram_cannot_show_leaves_as_files(shop: Connected) -> None:
    ada = shop.somebody()
    shop.telegram.fail_next("sendMediaGroup", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS")

    answer = await shop.send(ada, attachments=(PICTURE, PICTURE))

    assert ["document" in each.content for each in shop.bot.sent()] == [True, True]
    assert any("as a file" in note for note in answer.notes)


async def test_an_album_that_was_taken_without_an_answer_is_in_doubt_and_left_alone(
    shop: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_SEND_S", 0.3)
    ada = shop.somebody()
    shop.telegram.accept_then_hang("sendMediaGroup")

    answer = await shop.send(ada, attachments=(PICTURE, PICTURE))

    assert answer.outcome is Outcome.UNKNOWN
    assert len(shop.telegram.asked("sendMediaGroup")) == 1


async def test_with_buttons_each_file_is_a_message_of_its_own(shop: Connected) -> None:
    ada = shop.somebody()

    await shop.send(ada, "which?", attachments=(PICTURE, PICTURE), buttons=({"text": "This"},))

    assert ["photo" in each.content for each in shop.bot.sent()] == [True, True]
    assert shop.telegram.asked("sendMediaGroup") == []


@pytest.mark.parametrize("kind", ["image", "document"])
async def test_an_album_counts_as_many_messages_as_it_has_files(
    shop: Connected, kind: MediaKind
) -> None:
    file = PICTURE if kind == "image" else uri("application/pdf", PDF)
    ada = shop.somebody()

    first = await shop.send(ada, attachments=(file,) * 3)
    second = await shop.send(ada, "and this", wait_s=0.2)

    assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.QUEUED)
