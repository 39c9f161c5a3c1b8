"""The channels and groups that an account is in, told once it is connected.

Slack tells of them by itself only when something is said there. Direct messages are left out: each
would cost a question for its person.
"""

import logging

import anyio

from messengers.errors import MessengersError, RateLimited
from messengers.providers.base import Sink
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.intake import Intake
from messengers.providers.slack.wire import as_object

__all__ = ["tell"]

log = logging.getLogger(__name__)
_KINDS = ("public_channel", "private_channel", "mpim")
"""Each has a scope of its own."""


async def tell(calls: Calls, directory: Directory, intake: Intake, sink: Sink) -> None:
    """Every one of them to the sink. What Slack does not list is met when somebody writes there."""
    for kind in _KINDS:
        try:
            while not await _all_of(kind, calls, directory, intake, sink):
                pass
        except MessengersError as exc:
            log.info("Slack does not list %s: %s", kind, type(exc).__name__)


async def _all_of(
    kind: str, calls: Calls, directory: Directory, intake: Intake, sink: Sink
) -> bool:
    """Whether all were told; where Slack asks to wait that is done, and they are told anew."""
    asked = calls.pages("users.conversations", "channels", types=kind, exclude_archived=True)
    try:
        async for each in asked:
            channel = as_object(each)
            directory.learn(channel)
            event = await intake.met(str(channel["id"]), str(channel.get("name", "")))
            if event is not None:
                await sink.ingest(event.event_key, event.chat_key, event.kind, event.payload)
    except RateLimited as exc:
        await anyio.sleep(exc.retry_after_s)
        return False
    return True
