"""Updates: getUpdates, and the webhook that takes its place."""

import re
from typing import cast
from urllib.parse import urlsplit

import anyio

from tests.fakes.telegram.bots import Bot, Poll, Webhook
from tests.fakes.telegram.delivery import delivered, is_loopback
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.people import Json
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call, Upload
from tests.fakes.telegram.world import World

__all__: list[str] = []

_LONGEST_POLL_S = 50
_WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
_OTHER_POLLER = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
_SECRET = re.compile(r"[A-Za-z0-9_-]*")
_PORTS = {80, 88, 443, 8443}


class Conflict(Refused):
    def __init__(self, description: str) -> None:
        super().__init__(409)
        self.description = description


@method("getMe")
def get_me(_world: World, call: Call) -> object:
    return call.bot.me()


@method("getUpdates")
async def get_updates(_world: World, call: Call) -> object:
    """The earlier of two pollers is told of the conflict, and the later one waits."""
    bot = call.bot
    if bot.webhook:
        raise Conflict(_WEBHOOK_ACTIVE)
    limit = call.number("limit", 100)
    timeout_s = min(max(call.number("timeout"), 0), _LONGEST_POLL_S)
    _remember_allowed(call)
    bot.queue.confirm(call.number("offset"))
    found = bot.queue.batch(limit if 1 <= limit <= 100 else 100)
    if found or not timeout_s:
        return found
    return await _waited(bot, timeout_s, limit)


async def _waited(bot: Bot, timeout_s: int, limit: int) -> list[Json]:
    bot.end_poll(_OTHER_POLLER)
    poll = bot.poll = Poll()
    with anyio.move_on_after(timeout_s):
        while not poll.ended and not bot.queue.filled:
            await bot.queue.grown.wait()
    if bot.poll is poll:
        bot.poll = None
    if poll.conflict:
        raise Conflict(poll.conflict)
    return [] if poll.ended else bot.queue.batch(limit)


def _remember_allowed(call: Call) -> None:
    """Whatever is not a list of names leaves what was said before."""
    kinds = call.value("allowed_updates")
    if isinstance(kinds, list):
        call.bot.queue.allow(str(each) for each in cast("list[object]", kinds))


@method("setWebhook")
def set_webhook(world: World, call: Call) -> object:
    bot, url = call.bot, call.text("url")
    if not url:
        return delete_webhook(world, call)
    _check_address(world, url)
    secret = call.text("secret_token")
    if len(secret) > 256:
        raise Refused(400, "secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise Refused(400, "secret token contains unallowed characters")
    bot.end_poll("Conflict: terminated by setWebhook request")
    _remember_allowed(call)
    if call.flag("drop_pending_updates"):
        bot.queue.updates.clear()
    bot.webhook = Webhook(
        url,
        secret,
        min(max(call.number("max_connections", 40), 1), 100),
        call.text("ip_address"),
        isinstance(call.upload("certificate"), Upload),
    )
    bot.webhook_error, bot.webhook_error_date = "", 0
    world.tasks.start_soon(delivered, world, bot, bot.webhook)
    return True


def _check_address(world: World, url: str) -> None:
    """Of the real server's rules the loopback is free, where the tests are."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise Refused(400, "invalid webhook URL specified")
    if is_loopback(parts.hostname):
        return
    if parts.scheme != "https":
        raise Refused(400, "bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in _PORTS:
        ports = "Webhook can be set up only on ports 80, 88, 443 or 8443"
        raise Refused(400, f"bad webhook: {ports}")
    if world.loopback_of(url) is None:
        raise Refused(400, "bad webhook: Failed to resolve host: Name or service not known")


@method("deleteWebhook")
def delete_webhook(_world: World, call: Call) -> object:
    if call.flag("drop_pending_updates"):
        call.bot.queue.updates.clear()
    call.bot.webhook = None
    call.bot.queue.wake()
    return True


@method("getWebhookInfo")
def get_webhook_info(_world: World, call: Call) -> object:
    return call.bot.webhook_info()
