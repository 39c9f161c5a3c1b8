"""Telegram's wire: aiogram's methods leave as aiogram encodes them, answers stay JSON.

aiogram reads each answer into its types: a field that it does not know spoils a whole batch of
updates, or hides that a message was sent. It also forgets the status of a page that a gateway
answered with, and whether there was a connection at all. So its session makes the requests, and
what came of them is told here. The token stands in every address: nothing raised here holds one.
"""

import json
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote

import anyio
import orjson
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.methods import TelegramMethod
from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientTimeout, InvalidURL
from aiohttp import ConnectionTimeoutError as ConnectionTimedOut
from yarl import URL

__all__ = ["Refused", "TooLarge", "Unanswered", "Wire", "loads"]

_CALL_S = 25.0
"""Below the deadlines of the core, so that who asked hears what is known."""
_CONNECT_S = 10.0
_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_UNTOLD_PAUSE_S = 5.0
"""Where Telegram says later and not when."""


class Refused(Exception):
    """An answer that is no success. `why` is the server's own sentence, or empty."""

    def __init__(
        self, status: int, why: str = "", retry_after_s: float = 0.0, migrated_to: int = 0
    ) -> None:
        super().__init__(f"{status} {why}".rstrip())
        self.status = status
        self.why = why
        self.retry_after_s = retry_after_s
        self.migrated_to = migrated_to


class Unanswered(Exception):
    """No answer that could be read. `left` tells whether the request may have arrived."""

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.left = left


class TooLarge(Exception):
    """A file has more bytes than were asked for."""


class Wire:
    """One bot's way to Telegram, while it is entered."""

    def __init__(self, token: str, api: str = "") -> None:
        server = TelegramAPIServer.from_base(api) if api else PRODUCTION
        self._session = AiohttpSession(api=server)
        self._bot = Bot(token, session=self._session)

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._session.close()

    async def ask(self, method: TelegramMethod[Any], deadline_s: float = _CALL_S) -> Any:  # noqa: ANN401 - any JSON
        """The `result` of a call. Raises Refused or Unanswered."""
        session = await self._session.create_session()
        form = self._session.build_form_data(self._bot, method)
        url = self._session.api.api_url(self._bot.token, method.__api_method__)
        timeout = ClientTimeout(total=deadline_s, sock_connect=_CONNECT_S)
        try:
            async with session.post(
                url, data=form, timeout=timeout, allow_redirects=False
            ) as answer:
                body = await _body(answer, _MAX_ANSWER_BYTES)
        except (ClientError, TimeoutError, OSError, TooLarge) as exc:
            raise _unanswered(exc) from None
        return _result(answer.status, answer.headers, body)

    async def file(self, path: str, max_bytes: int, deadline_s: float) -> bytes:
        """The bytes behind the `file_path` of getFile. Raises Refused, Unanswered or TooLarge."""
        session = await self._session.create_session()
        segments = path.split("/")
        if not all(segments) or ".." in segments:
            raise Refused(400, "not a path of a file")
        url = self._session.api.file_url(self._bot.token, "/".join(map(_segment, segments)))
        timeout = ClientTimeout(total=deadline_s, sock_connect=_CONNECT_S)
        try:
            async with session.get(
                URL(url, encoded=True), timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise Refused(answer.status)
                return await _body(answer, max_bytes)
        except (ClientError, TimeoutError, OSError) as exc:
            raise _unanswered(exc) from None


def _segment(part: str) -> str:
    return quote(part, safe="")


async def _body(answer: ClientResponse, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > max_bytes:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def _unanswered(exc: BaseException) -> Unanswered:
    """Without what the fault says: it may hold the address."""
    left = not isinstance(exc, ClientConnectorError | ConnectionTimedOut | InvalidURL)
    return Unanswered(type(exc).__name__, left=left)


def _result(status: int, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        answer: object = loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        if status < 400:
            raise Unanswered("an answer that is no JSON", left=True)
        raise Refused(status, retry_after_s=_pause_s(None, headers) if status == 429 else 0.0)
    told = cast("dict[str, Any]", answer)
    if told.get("ok") is True:
        return told.get("result")
    parameters = told.get("parameters")
    more = cast("dict[str, Any]", parameters) if isinstance(parameters, dict) else {}
    raise Refused(
        status if status >= 400 else int(told.get("error_code") or 400),
        str(told.get("description") or "")[:500],
        _pause_s(more.get("retry_after"), headers) if status == 429 else 0.0,
        int(more.get("migrate_to_chat_id") or 0),
    )


def loads(body: bytes) -> object:
    """JSON, also with half a surrogate pair in it: that is one message's fault, not a batch's."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def _pause_s(told: object, headers: Mapping[str, str]) -> float:
    """Of the answer itself, else of its header, which is a number or a date."""
    header = headers.get("Retry-After", "")
    for value in (told, header, _distance_s(headers.get("Date", ""), header)):
        try:
            seconds = float(value)  # pyright: ignore[reportArgumentType] - what is no number raises
        except (TypeError, ValueError):
            continue
        if seconds > 0 and math.isfinite(seconds):
            return seconds
    return _UNTOLD_PAUSE_S


def _distance_s(since: str, until: str) -> float | None:
    """Between two dates of one server: its clock need not be ours."""
    try:
        return (parsedate_to_datetime(until) - parsedate_to_datetime(since)).total_seconds()
    except (TypeError, ValueError):
        return None
