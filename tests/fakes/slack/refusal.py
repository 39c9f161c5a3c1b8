"""An error Slack answers to a request: 200, `ok` false and a word."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.slack.people import Json

__all__ = ["Refused"]


class Refused(Exception):
    def __init__(self, error: str, *, status: int = 200, **fields: object) -> None:
        self.error = error
        self.status = status
        self.body: Json = {"ok": False, "error": error, **fields}
        super().__init__(error)

    @classmethod
    def invalid(cls, *messages: str) -> "Refused":
        """What is wrong with the arguments, told to the developer."""
        told = {"messages": [f"[ERROR] {each}" for each in messages]}
        return cls("invalid_arguments", response_metadata=told)
