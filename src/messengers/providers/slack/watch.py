"""Whether the token still holds: without it the app's connection lives on and hears nothing."""

import logging

import anyio

from messengers.errors import BadCredentials, MessengersError
from messengers.providers.slack.calls import Calls

__all__ = ["watch"]

log = logging.getLogger(__name__)
_LOOK_S = 60.0
"""How often Slack is asked: nothing promises a word of Slack's when the token ends."""


async def watch(calls: Calls) -> None:
    """Ask now and then, and at once when there is a doubt. Raises BadCredentials."""
    while True:
        with anyio.move_on_after(_LOOK_S):
            await calls.doubted.wait()
        calls.doubted = anyio.Event()
        try:
            await calls.ask("auth.test")
        except BadCredentials:
            raise
        except MessengersError as exc:
            log.info("Slack did not say whether the token holds: %s", type(exc).__name__)
