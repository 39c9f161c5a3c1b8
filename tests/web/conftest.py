"""The whole web application, with and without a socket under it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from messengers.app import App, open_app
from messengers.core.callers import OWNER
from messengers.settings import Settings
from tests.process.conftest import StartDaemon, daemon, home, start_daemon

__all__ = ["Site", "StartDaemon", "daemon", "home", "site", "start_daemon"]


@dataclass
class Site:
    """The application and a client that speaks to it as a browser of this machine would."""

    app: App
    client: httpx2.AsyncClient

    async def authorized(self, name: str = "test") -> dict[str, str]:
        """The headers of a new key."""
        _, secret = await self.app.core.keys.create(OWNER, name, "setup")
        return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
async def site(home: Path) -> AsyncIterator[Site]:
    settings = Settings.load(home=home, port=3000, allowed_hosts=["chat.example"])
    async with open_app(settings) as app:
        transport = httpx2.ASGITransport(app=app.web, raise_app_exceptions=False)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:3000"
        ) as client:
            yield Site(app, client)
