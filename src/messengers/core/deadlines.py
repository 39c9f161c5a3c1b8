"""Calls to a messenger that end: a question that may be asked again, and a change in doubt."""

from collections.abc import Awaitable
from typing import TypeVar

import anyio

from messengers.errors import Uncertain, Unreachable

__all__ = ["answered", "told"]

T = TypeVar("T")
_CALL_DEADLINE_S = 30.0


async def told(call: Awaitable[T]) -> T:
    """A question, within its deadline."""
    try:
        with anyio.fail_after(_CALL_DEADLINE_S):
            return await call
    except TimeoutError as exc:
        raise Unreachable("The messenger did not answer in time.", "Try again later.") from exc


async def answered(call: Awaitable[T]) -> T:
    """A change, within its deadline; without an answer it may have happened."""
    try:
        with anyio.fail_after(_CALL_DEADLINE_S):
            return await call
    except TimeoutError as exc:
        raise Uncertain("The messenger did not answer in time.") from exc
