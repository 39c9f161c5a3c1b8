"""The pictures that people and groups have of themselves: asked for when wanted, never kept."""

import anyio.to_thread

from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.deadlines import told
from messengers.core.instances import Instances
from messengers.core.media import MediaContent
from messengers.core.pictures import RASTER_MIMES, for_model, look
from messengers.errors import InvalidInput, Unsupported
from messengers.models import Attachment
from messengers.providers.base import ShowsPortraits
from messengers.settings import Settings

__all__ = ["Portraits"]


class Portraits:
    """Fetches them."""

    def __init__(self, instances: Instances, chats: Chats, settings: Settings) -> None:
        self._instances = instances
        self._chats = chats
        self._settings = settings

    async def of(self, caller: Caller, chat: str) -> MediaContent:
        """That of the person or group of a chat, in a size for models.

        Raises:
            NotFound: there is none, or the account may not see it.
            Unsupported: the messenger shows none.
            InvalidInput: what came is no picture, or too large.
        """
        place = await self._chats.get(caller, chat)
        provider = self._instances.provider(self._instances.by_name(place.instance).id)
        if not isinstance(provider, ShowsPortraits):
            raise Unsupported(f"{place.provider} shows no pictures of people and groups.")
        data = await told(provider.portrait(place.native_id, self._settings.media_max_bytes))
        looks = look(data, self._settings.image_max_pixels)
        if looks.mime not in RASTER_MIMES:
            raise InvalidInput("That is no picture.", "Look at it in the messenger's own app.")
        shown, mime = await anyio.to_thread.run_sync(for_model, data, looks.mime)
        return MediaContent(
            attachment=Attachment(kind=looks.kind, mime=mime, size_bytes=len(shown)), data=shown
        )
