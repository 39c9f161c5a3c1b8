"""What a message may be made of: the faults of a form, each with its place."""

from collections.abc import Iterator, Sized

from tests.fakes.discord.bodies import part, parts
from tests.fakes.discord.components import component_faults
from tests.fakes.discord.people import Json
from tests.fakes.discord.refusal import InvalidForm

__all__ = ["check_message", "required", "too_long"]

_CONTENT_MAX = 2000
_NONCE_MAX = 25
_EMBEDS_MAX = 10
_EMBEDS_SIZE_MAX = 6000
_EMBED_MAX = {"title": 256, "description": 4096}
_INNER_MAX = {"footer": ("text", 2048), "author": ("name", 256)}
_FIELDS_MAX = 25
_FIELD_MAX = {"name": 256, "value": 1024}
_ANSWERS_MAX = 10
_QUESTION_MAX = 300
_ANSWER_MAX = 55

Fault = tuple[str, str, str]


def check_message(body: Json) -> None:
    """Raises for a form that no message can be made from."""
    faults: list[Fault] = [
        *too_long("content", body.get("content"), _CONTENT_MAX),
        *too_long("nonce", str(body.get("nonce") or ""), _NONCE_MAX),
        *_embeds(parts(body, "embeds")),
        *component_faults(parts(body, "components")),
        *(_poll(body["poll"]) if body.get("poll") else []),
    ]
    if faults:
        raise InvalidForm(*faults)


def too_long(place: str, value: Sized | None, most: int) -> Iterator[Fault]:
    if value is not None and len(value) > most:
        yield place, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def required(place: str) -> Fault:
    return place, "BASE_TYPE_REQUIRED", "This field is required"


def _embeds(embeds: list[Json]) -> Iterator[Fault]:
    yield from too_long("embeds", embeds, _EMBEDS_MAX)
    for index, embed in enumerate(embeds):
        yield from _embed(f"embeds.{index}", embed)
    if sum(_size(embed) for embed in embeds) > _EMBEDS_SIZE_MAX:
        words = f"Embed size exceeds maximum size of {_EMBEDS_SIZE_MAX}"
        yield "embeds", "MAX_EMBED_SIZE_EXCEEDED", words


def _embed(place: str, embed: Json) -> Iterator[Fault]:
    for name, most in _EMBED_MAX.items():
        yield from too_long(f"{place}.{name}", embed.get(name), most)
    for name, (inner, most) in _INNER_MAX.items():
        yield from too_long(f"{place}.{name}.{inner}", part(embed, name).get(inner), most)
    fields = parts(embed, "fields")
    yield from too_long(f"{place}.fields", fields, _FIELDS_MAX)
    for index, each in enumerate(fields):
        for name, most in _FIELD_MAX.items():
            if not each.get(name):
                yield required(f"{place}.fields.{index}.{name}")
            yield from too_long(f"{place}.fields.{index}.{name}", each.get(name), most)
    for name in ("image", "thumbnail"):
        url = str(part(embed, name).get("url") or "")
        if url and not url.startswith(("http://", "https://", "attachment://")):
            words = f'Scheme "{url.partition(":")[0]}" is not supported.'
            yield f"{place}.{name}.url", "URL_TYPE_INVALID_SCHEME", words


def _size(embed: Json) -> int:
    texts = [embed.get(name) for name in _EMBED_MAX]
    texts += [part(embed, name).get(inner) for name, (inner, _) in _INNER_MAX.items()]
    texts += [each.get(name) for each in parts(embed, "fields") for name in _FIELD_MAX]
    return sum(len(text) for text in texts if text)


def _poll(poll: Json) -> Iterator[Fault]:
    question = part(poll, "question").get("text")
    answers = parts(poll, "answers")
    if not question:
        yield required("poll.question.text")
    yield from too_long("poll.question.text", question, _QUESTION_MAX)
    if not answers:
        yield required("poll.answers")
    yield from too_long("poll.answers", answers, _ANSWERS_MAX)
    for index, each in enumerate(answers):
        text = part(each, "poll_media").get("text")
        place = f"poll.answers.{index}.poll_media.text"
        if not text:
            yield required(place)
        yield from too_long(place, text, _ANSWER_MAX)
