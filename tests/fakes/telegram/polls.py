"""Polls: what they tell, and how votes are counted."""

from dataclasses import dataclass, field

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.people import Json, User, present
from tests.fakes.telegram.refusal import Refused

__all__ = ["Poll"]


@dataclass(eq=False)
class Poll:
    id: str
    question: str
    options: list[str]
    is_anonymous: bool = True
    kind: str = "regular"
    allows_multiple_answers: bool = False
    allows_revoting: bool = True
    is_closed: bool = False
    correct: list[int] = field(default_factory=list[int])
    about: Json = field(default_factory=dict[str, object])
    """Explanation, period and description, as they were sent."""
    author: Bot | None = None
    votes: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    """By user id, the numbers of the chosen options."""

    def __post_init__(self) -> None:
        if not self.question:
            raise Refused(400, "poll question must be non-empty")
        if len(self.question) > 300:
            raise Refused(400, "poll question length must not exceed 300")
        if not self.options:
            raise Refused(400, "poll must have at least 1 option")
        if len(self.options) > 12:
            raise Refused(400, "poll can't have more than 12 options")
        if any(not 1 <= len(option) <= 100 for option in self.options):
            raise Refused(400, "poll options length must not exceed 100")

    def persistent_id(self, option: int) -> str:
        return f"{self.id}-{option}"

    def vote(self, user: User, options: list[int]) -> None:
        """None of them takes the vote back."""
        if self.is_closed:
            raise ValueError("the poll is closed")
        if len(options) > 1 and not self.allows_multiple_answers:
            raise ValueError("the poll takes one answer")
        if any(not 0 <= each < len(self.options) for each in options):
            raise ValueError("there is no such option")
        self.votes[user.id] = options

    def json(self) -> Json:
        chosen = [option for options in self.votes.values() for option in options]
        return {
            "id": self.id,
            "question": self.question,
            "options": [
                {
                    "persistent_id": self.persistent_id(number),
                    "text": text,
                    "voter_count": chosen.count(number),
                }
                for number, text in enumerate(self.options)
            ],
            "total_voter_count": sum(bool(options) for options in self.votes.values()),
            "is_closed": self.is_closed,
            "is_anonymous": self.is_anonymous,
            "type": self.kind,
            "allows_multiple_answers": self.allows_multiple_answers,
            "allows_revoting": self.allows_revoting,
            "members_only": False,
            **present(correct_option_ids=self.correct if self.kind == "quiz" else None),
            **self.about,
        }

    def answer(self, user: User) -> Json:
        """What its author is told of a vote that is not secret."""
        options = self.votes.get(user.id, [])
        return {
            "poll_id": self.id,
            "user": user.json(),
            "option_ids": options,
            "option_persistent_ids": [self.persistent_id(each) for each in options],
        }
