"""What the API can do, by the specification's names, and how a request is carried out."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.specification import specification
from tests.fakes.discord.world import World

__all__ = ["OPERATIONS", "Operation", "Reply", "carried_out", "operation"]


@dataclass(frozen=True)
class Reply:
    """An answer that is not simply 200 with a body or 204 without."""

    status: int
    body: object = None


Function = Callable[[World, Call], object]


@dataclass(frozen=True)
class Operation:
    name: str
    verb: str
    path: str
    function: Function
    is_open: bool
    """Its path holds the secret: no token is asked for."""


OPERATIONS: dict[tuple[str, str], Operation] = {}


def operation(
    name: str, verb: str, path: str, *, is_open: bool = False
) -> Callable[[Function], Function]:
    """Registers what carries it out; its result is the body, None for 204, or a Reply."""

    def register(function: Function) -> Function:
        OPERATIONS[verb, path] = Operation(name, verb, path, function, is_open)
        return function

    return register


def carried_out(world: World, asked: Operation, call: Call) -> Reply:
    """Raises Refused. What is wrong with the request is recorded."""
    book = specification()
    mistakes = book.faults_of(call) if book else []
    world.records.mistakes += mistakes
    try:
        result = asked.function(world, call)
    except (KeyError, TypeError, ValueError) as error:
        if not mistakes:
            raise
        raise Refused(50035, 400, "Invalid Form Body") from error
    reply = result if isinstance(result, Reply) else Reply(204 if result is None else 200, result)
    if book:
        faults = book.faults_of_answer(asked.name, reply.status, reply.body)
        world.records.errors += [AssertionError(f"own answer: {each}") for each in faults]
    return reply
