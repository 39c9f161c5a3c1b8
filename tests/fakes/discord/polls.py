"""Polls, and who voted for what."""

from dataclasses import dataclass, field

from tests.fakes.discord.people import Json, User
from tests.fakes.discord.snowflakes import iso

__all__ = ["Poll"]


@dataclass(eq=False)
class Poll:
    question: str
    answers: list[str]
    """Their ids count from 1."""
    expires_at: float
    multiple: bool = False
    finished: bool = False
    votes: dict[int, list[User]] = field(default_factory=dict[int, list[User]])

    def voters(self, answer_id: int) -> list[User]:
        return self.votes.setdefault(answer_id, [])

    def json(self, viewer: User) -> Json:
        ids = range(1, len(self.answers) + 1)
        counts = [
            {"id": id, "count": len(self.voters(id)), "me_voted": viewer in self.voters(id)}
            for id in ids
            if self.voters(id)
        ]
        return {
            "question": {"text": self.question},
            "answers": [
                {"answer_id": id, "poll_media": {"text": self.answers[id - 1]}} for id in ids
            ],
            "expiry": iso(self.expires_at),
            "allow_multiselect": self.multiple,
            "layout_type": 1,
            "results": {"answer_counts": counts, "is_finalized": self.finished},
        }
