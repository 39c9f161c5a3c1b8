"""Files: what was uploaded, and where it is shared."""

from dataclasses import dataclass, field

from tests.fakes.slack.people import Json, User

__all__ = ["File"]


@dataclass(eq=False)
class File:
    id: str
    name: str
    user: User
    created: int
    address: str
    """Of the fake, under which it is downloaded."""
    data: bytes = field(default=b"", repr=False)
    title: str = ""
    mime: str = ""

    def json(self) -> Json:
        return {"id": self.id}
