"""One event of Slack's on its way into the store, whoever brought it: a socket or a request."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from messengers.clock import Clock
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.incoming import BESIDE, COMMAND, MET
from messengers.providers.slack.wire import Json, as_object
from messengers.providers.webhooks import Delivered

__all__ = ["Account", "Intake"]

_FAREWELLS = frozenset({"tokens_revoked", "app_uninstalled"})
_PATIENCE_S = 1.5
"""Slack waits three seconds: a name that takes longer stays an id."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is, as auth.test tells."""

    team: str
    team_name: str
    user: str
    handle: str
    url: str = ""
    """Of the workspace, with a slash at its end."""
    bot: str = ""
    app: str = ""
    """Of a bot: its app, where Slack tells."""


class Intake:
    """Makes of what Slack delivers what is stored."""

    def __init__(
        self, account: Account, directory: Directory, clock: Clock, doubted: Callable[[], None]
    ) -> None:
        """`doubted` is told when a token of the app's ended, which may be another's."""
        self._account = account
        self._doubted = doubted
        self._directory = directory
        self._clock = clock

    async def delivered(self, kind: str, body: Json) -> Delivered | None:
        """The event, with the names it needs beside it; None for what concerns another account."""
        event = as_object(body.get("event")) if kind == "events_api" else body
        if kind == "slash_commands":
            event = {**body, "type": COMMAND}
        if not isinstance(event.get("type"), str) or not await self._is_ours(kind, body, event):
            return None
        if event["type"] in _FAREWELLS:
            self._doubted()
        self._unlearn(event)
        channel = _channel_of(event)
        text = orjson.dumps(event).decode()
        names = await self._directory.named_in(text, channel, _app_of(event), _PATIENCE_S)
        beside: dict[str, Any] = {
            "at": f"{self._clock.now().timestamp():.6f}",
            "me": self._account.user,
            "bot": self._account.bot,
            "handle": self._account.handle,
            "names": names,
        }
        name = body.get("event_id") or hashlib.sha256(orjson.dumps(body)).hexdigest()[:32]
        payload = orjson.dumps({**event, BESIDE: beside})
        return Delivered(f"event:{name}", channel, event["type"], payload)

    async def met(self, channel: str, name: str = "") -> Delivered | None:
        """A conversation that was asked for, so that its chat has its name.

        By another name it is another event.
        """
        return await self.delivered(MET, {"type": MET, "channel": channel, "name": name})

    async def _is_ours(self, kind: str, body: Json, event: Json) -> bool:
        """Whether it is for this account: an app tells of all who installed it in one place."""
        if kind != "events_api":
            return _team_of(body) in ("", self._account.team)
        granted = body.get("authorizations") or ()
        if not granted:
            return body.get("team_id") in (None, self._account.team)
        if any(each.get("user_id") == self._account.user for each in granted):
            return True
        if not any(each.get("team_id") == self._account.team for each in granted):
            return False
        # Slack names one of those it is visible to. Is it visible here as well?
        channel = _channel_of(event)
        place = await self._directory.place(channel) if channel else None
        return not channel or bool(place and place.get("here"))

    def _unlearn(self, event: Json) -> None:
        """What is another now is asked for again."""
        match event["type"]:
            case "user_change":
                self._directory.forget(str(event.get("user", {}).get("id", "")))
            case "channel_rename" | "group_rename" | "member_joined_channel" | "channel_left":
                self._directory.forget(_channel_of(event))
            case _:
                pass


def _channel_of(event: Json) -> str:
    """Where it happened: the chat's events stay in order."""
    for place in (event.get("channel"), as_object(event.get("item")).get("channel")):
        if place:
            return place if isinstance(place, str) else str(as_object(place).get("id", ""))
    return str(event.get("channel_id", ""))


def _app_of(event: Json) -> str:
    """Who wrote without being a user and without saying a name."""
    if event.get("user") or event.get("username") or event.get("bot_profile"):
        return ""
    return str(event.get("bot_id") or "")


def _team_of(body: Json) -> str:
    return str(as_object(body.get("team")).get("id") or body.get("team_id", ""))
