"""Which providers there are: our own by name, third parties' by entry point, loaded when asked.

A third party's package declares

    [project.entry-points."messengers.providers"]
    example = "example_messenger:INFO"

where the entry point's name is the provider's name and resolves to a ProviderInfo. One that cannot
be loaded is reported in `broken` and harms nothing else.
"""

import difflib
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from messengers.errors import InvalidInput, NotReady
from messengers.extras import install_command
from messengers.providers.base import Provider, ProviderInfo
from messengers.redaction import redact

__all__ = ["ALIASES", "BUILT_IN", "GROUP", "Catalog"]

GROUP = "messengers.providers"
BUILT_IN: Mapping[str, str] = {
    "webchat": "messengers.providers.webchat:INFO",
    "telegram": "messengers.providers.telegram:INFO",
    "discord": "messengers.providers.discord:INFO",
    "slack": "messengers.providers.slack:INFO",
    "whatsapp_web": "messengers.providers.whatsapp_web.info:INFO",
}
ALIASES: Mapping[str, str] = {
    "whatsapp": "whatsapp_web",
    "whatsappweb": "whatsapp_web",
    "whatsapp_official": "whatsapp_cloud",
    "whatsapp_business": "whatsapp_cloud",
    "whatsapp_api": "whatsapp_cloud",
    "facebook": "facebook_messenger",
    "messenger": "facebook_messenger",
    "tg": "telegram",
    "telegram_bot": "telegram",
    "discord_bot": "discord",
    "web": "webchat",
    "web_chat": "webchat",
}
"""Words of other products for ours; taken as input only."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Catalog:
    """The providers of this installation; their engines wait for their first instance."""

    def __init__(self, built_in: Mapping[str, str] = BUILT_IN) -> None:
        self._paths = dict(built_in)
        self._found = dict(_third_party(tuple(sys.path)))
        self._infos: dict[str, ProviderInfo] = {}
        self._classes: dict[str, type[Provider]] = {}
        self.broken: dict[str, str] = {}
        """Name of a third party's provider → one sentence why it cannot be used."""
        for name in [name for name in self._found if name in self._paths or not _is_name(name)]:
            del self._found[name]
            if name in self._paths:
                self.broken[f"another {name}"] = "Its name belongs to a built-in provider."
            else:
                self.broken[_shown(name)] = "Its name is none: a-z, 0-9 and _, a letter first."

    def names(self) -> tuple[str, ...]:
        """Every name that may be asked for, built-in ones first."""
        return (*self._paths, *sorted(self._found))

    def all(self) -> tuple[ProviderInfo, ...]:
        """Every provider that can be loaded, built-in ones first."""
        infos = [self._load(name) for name in self.names()]
        return tuple(info for info in infos if info is not None)

    def find(self, name: str) -> ProviderInfo:
        """The declaration of a provider, also by another product's word for it.

        Raises:
            InvalidInput: there is none; the known ones are named.
            NotReady: a third party's is installed and broken.
        """
        word = re.sub(r"[\s.-]+", "_", name.strip().lower())
        wanted = word if word in self._paths or word in self._found else ALIASES.get(word, word)
        info = self._load(wanted) if wanted in self.names() else None
        if info is not None:
            return info
        if wanted in self.broken:
            raise NotReady(
                f"The provider {wanted} cannot be used: {self.broken[wanted]}",
                "Repair or remove its package.",
            )
        known = [each for each in self.names() if each not in self.broken]
        near = difflib.get_close_matches(wanted, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise InvalidInput(
            "There is no such provider.", f"{hint}The known ones: {', '.join(known)}."
        )

    def provider_class(self, info: ProviderInfo) -> type[Provider]:
        """The class behind a declaration; imports its engine, so call it in a thread.

        Raises:
            NotReady: the engine cannot be imported.
        """
        if info.name not in self._classes:
            module, _, name = info.class_path.partition(":")
            try:
                self._classes[info.name] = getattr(import_module(module), name)
            except (ImportError, AttributeError) as exc:
                raise NotReady(
                    f"The engine of {info.name} cannot be imported ({type(exc).__name__}).",
                    self._repair(info),
                ) from exc
        return self._classes[info.name]

    def _repair(self, info: ProviderInfo) -> str:
        if info.extra:
            return f"`{install_command(info.extra)}` installs it."
        ours = info.name in self._paths
        return f"Install {'messengers-mcp' if ours else 'its package'} again."

    def _load(self, name: str) -> ProviderInfo | None:
        if name in self._infos or name in self.broken:
            return self._infos.get(name)
        if name in self._paths:
            module, _, attribute = self._paths[name].partition(":")
            info: ProviderInfo = getattr(import_module(module), attribute)
        else:
            found = self._third_party_info(name)
            if found is None:
                return None
            info = found
        self._infos[name] = info
        return info

    def _third_party_info(self, name: str) -> ProviderInfo | None:
        try:
            info = self._found[name].load()
        except Exception as exc:  # noqa: BLE001 - a stranger's package may raise anything at import
            self.broken[name] = redact(f"{type(exc).__name__}: {exc}")[:300]
            return None
        if not isinstance(info, ProviderInfo):
            self.broken[name] = "Its entry point is no ProviderInfo."
            return None
        if info.name != name:
            self.broken[name] = "Its ProviderInfo has another name than its entry point."
            return None
        return info


@cache
def _third_party(_path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """What packages on a `sys.path` declare; looked for once, as files of each one are read."""
    return {found.name: found for found in entry_points(group=GROUP)}


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _shown(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "?", name)[:40]
