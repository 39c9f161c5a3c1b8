"""The methods of the API by name, and how a request is let in, carried out and answered."""

import inspect
from collections.abc import Callable

from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.specification import specification
from tests.fakes.telegram.world import World

__all__ = ["METHODS", "canonical", "carried_out", "method"]

Method = Callable[[World, Call], object]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Registers what carries `name` out; its answer is the result, or an awaitable of it."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


def canonical(name: str) -> str | None:
    """As the API's page writes it: case does not matter to the server. None for no method."""
    names = {each.lower(): each for each in METHODS}
    if book := specification():
        names |= {each.lower(): each for each in book.methods}
    return names.get(name.lower())


async def carried_out(world: World, call: Call) -> object:
    """The result; raises Refused. What is wrong with the request is recorded."""
    book = specification()
    mistakes = book.faults_of(call) if book else []
    world.records.mistakes += mistakes
    function = METHODS.get(call.method)
    if function is None:
        world.records.unhandled.append(call.method)
        raise Refused(400, f"the fake does not know {call.method}")
    try:
        result = function(world, call)
        if inspect.isawaitable(result):
            result = await result
    except (KeyError, TypeError, ValueError) as error:
        if not mistakes:
            raise
        raise Refused(400, "can't parse a parameter of the request") from error
    if book and call.method != "getUpdates":
        faults = book.faults_of_answer(call.method, result)
        world.records.errors += [AssertionError(f"own answer: {each}") for each in faults]
    return result
