"""Embeds as the server keeps them."""

from tests.fakes.discord.files import Attachment, Library
from tests.fakes.discord.people import Json

__all__ = ["kept_embeds"]

_PICTURES = ("image", "thumbnail")
_IGNORED = {"type", "provider", "video"}


def kept_embeds(embeds: list[Json], files: list[Attachment], library: Library) -> list[Json]:
    return [_kept(embed, files, library) for embed in embeds]


def _kept(embed: Json, files: list[Attachment], library: Library) -> Json:
    found: Json = {"type": "rich", "flags": 0}
    for name, value in embed.items():
        if value is not None and name not in _IGNORED:
            found[name] = value
    for name in _PICTURES:
        if name in found:
            url = _resolved(found[name]["url"], files, library)
            found[name] = {"url": url, "proxy_url": url, "width": 0, "height": 0, "flags": 0}
    for name in ("author", "footer"):
        if icon := found.get(name, {}).get("icon_url"):
            url = _resolved(icon, files, library)
            found[name] = {**found[name], "icon_url": url, "proxy_icon_url": url}
    if "fields" in found:
        found["fields"] = [{"inline": False, **each} for each in found["fields"]]
    return found


def _resolved(url: str, files: list[Attachment], library: Library) -> str:
    """`attachment://name` is a file of the same message."""
    name = url.removeprefix("attachment://")
    file = next((each for each in files if url != name and each.filename == name), None)
    return library.link(file) if file else url
