"""aiogram's own Bot, as a client of the fake: its types judge every answer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiogram import Bot as Client
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Update

from tests.fakes.telegram.bots import UPDATE_KINDS, Bot
from tests.fakes.telegram.server import FakeTelegram

__all__ = ["Client", "connected", "heard"]


class _Session(AiohttpSession):
    async def close(self) -> None:
        """Without the quarter of a second the original gives TLS."""
        if self._session:
            await self._session.close()


@asynccontextmanager
async def connected(telegram: FakeTelegram, bot: Bot) -> AsyncGenerator[Client]:
    session = _Session(api=TelegramAPIServer.from_base(telegram.url))
    async with Client(bot.token, session=session) as client:
        yield client


async def heard(client: Client) -> list[Update]:
    """All that waits, of every kind, and is confirmed with this."""
    found = await client.get_updates(allowed_updates=sorted(UPDATE_KINDS))
    if found:
        await client.get_updates(offset=found[-1].update_id + 1)
    return found
