"""The methods of the Web API by name, and how a request is let in and carried out."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.slack.people import Json, words
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.specification import specification
from tests.fakes.slack.tokens import Kind
from tests.fakes.slack.world import World

__all__ = ["METHODS", "Method", "carried_out", "method", "need"]

Function = Callable[[World, Call], object]
METHODS: "dict[str, Method]" = {}
_HOLDERS: tuple[Kind, ...] = ("bot", "user")


@dataclass(frozen=True)
class Method:
    name: str
    function: Function
    scopes: frozenset[str]
    """One of them is needed; none means that any token will do."""
    kinds: tuple[Kind, ...]


def method(
    name: str, scopes: str = "", *, kinds: tuple[Kind, ...] = _HOLDERS
) -> Callable[[Function], Function]:
    """Registers what carries `name` out; its answer, or an awaitable of it, has no `ok` yet."""

    def register(function: Function) -> Function:
        METHODS[name] = Method(name, function, frozenset(words(scopes)), kinds)
        return function

    return register


def need(call: Call, *scopes: str) -> None:
    """The token has one of these scopes."""
    if not call.token.may(*scopes):
        raise Refused(
            "missing_scope", needed=",".join(scopes), provided=",".join(sorted(call.token.scopes))
        )


async def carried_out(world: World, call: Call) -> Json:
    """The answer; raises Refused. What is wrong with the request is recorded."""
    book = specification()
    mistakes = book.faults_of(call) if book else []
    world.records.mistakes += mistakes
    known = METHODS.get(call.method)
    if known is None:
        world.records.unhandled.append(call.method)
        raise Refused("unknown_method", req_method=call.method)
    if call.token.kind not in known.kinds:
        raise Refused("not_allowed_token_type")
    if known.scopes:
        need(call, *sorted(known.scopes))
    try:
        result = known.function(world, call)
        if inspect.isawaitable(result):
            result = await result
    except (KeyError, TypeError, ValueError) as error:
        if not mistakes:
            raise
        raise Refused.invalid(str(error)) from error
    assert isinstance(result, dict)
    answer: Json = {"ok": True, **result}
    if book:
        faults = book.faults_of_answer(call.method, answer)
        world.records.errors += [AssertionError(f"own answer: {each}") for each in faults]
    return answer
