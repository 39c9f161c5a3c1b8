"""What a webhook gets: one update after the other, each until it is taken."""

import ipaddress
from urllib.parse import urlsplit

import anyio
import httpx2

from tests.fakes.telegram.bots import Bot, Webhook
from tests.fakes.telegram.people import Json
from tests.fakes.telegram.world import World

__all__ = ["delivered", "is_loopback"]

_DEADLINE_S = 10
_LONGEST_WAIT_S = 5.0


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def delivered(world: World, bot: Bot, webhook: Webhook) -> None:
    """Runs as long as this is the bot's webhook."""
    async with httpx2.AsyncClient(timeout=_DEADLINE_S, trust_env=False) as client:
        while bot.webhook is webhook:
            if not bot.queue.filled:
                await bot.queue.grown.wait()
                continue
            (update,) = bot.queue.batch(1)
            if await _taken(world, client, bot, update):
                bot.queue.forget(update)


async def _taken(world: World, client: httpx2.AsyncClient, bot: Bot, update: Json) -> bool:
    """Tries until it is taken; False when the webhook is another by now."""
    webhook = bot.webhook
    assert webhook
    wait_s = world.webhook_retry_s
    while bot.webhook is webhook:
        secret = webhook.secret_token
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        try:
            answer = await client.post(_loopback(world, webhook), json=update, headers=headers)
        except httpx2.HTTPError as error:
            failure = _reason(error)
        else:
            if answer.is_success:
                return True
            failure = (
                f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
            )
        bot.webhook_error, bot.webhook_error_date = failure, world.now()
        await anyio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
    return False


def _loopback(world: World, webhook: Webhook) -> str:
    url = world.loopback_of(webhook.url) or webhook.url
    if not is_loopback(urlsplit(url).hostname or ""):
        raise ValueError(f"{url} is not on the loopback")
    return url


def _reason(error: httpx2.HTTPError) -> str:
    match error:
        case httpx2.ConnectError():
            return "Connection refused"
        case httpx2.TimeoutException():
            return "Read timeout expired"
        case _:
            return "Webhook connection closed"
