"""Embeds in words. A preview that Discord makes of a link says nothing of its writer's."""

from collections.abc import Iterator, Sequence

from messengers.providers.discord.fields import Json, part, parts

__all__ = ["embed_words"]

_PREVIEWS = frozenset({"article", "gifv", "image", "link", "video", "auto_moderation_message"})


def embed_words(embeds: Sequence[Json]) -> list[str]:
    """What people read in those that were written, each a few lines."""
    written = (each for each in embeds if each.get("type", "rich") not in _PREVIEWS)
    return ["\n".join(filter(None, _lines(each))) for each in written]


def _lines(embed: Json) -> Iterator[str]:
    yield str(part(embed, "author").get("name") or "")
    title, address = str(embed.get("title") or ""), str(embed.get("url") or "")
    yield f"{title} ({address})" if title and address else title or address
    yield str(embed.get("description") or "")
    for field in parts(embed, "fields"):
        yield f"{field.get('name', '')}: {field.get('value', '')}"
    for name in ("image", "thumbnail"):
        picture = str(part(embed, name).get("url") or "")
        yield f"(picture: {picture})" if picture else ""
    yield str(part(embed, "footer").get("text") or "")
