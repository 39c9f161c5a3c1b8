"""What Discord says itself between messages, in words.

The types: https://docs.discord.com/developers/resources/message#message-object-message-types.
"""

from collections.abc import Callable, Mapping

from messengers.providers.discord.fields import Json, parts
from messengers.providers.discord.people import name_of

__all__ = ["service_words"]


def service_words(message: Json) -> str:
    """One clause, without its brackets. A type that is not known is told by its number."""
    said = _WORDS.get(int(message["type"]))
    return said(message) if said else f"Discord's message of type {message['type']}"


def _who(message: Json) -> str:
    return name_of(message["author"])


def _others(message: Json) -> str:
    return ", ".join(name_of(each) for each in parts(message, "mentions")) or "somebody"


def _result(message: Json) -> str:
    fields = [field for embed in parts(message, "embeds") for field in parts(embed, "fields")]
    told = {field["name"]: field["value"] for field in fields}
    question, winner = told.get("poll_question_text", "?"), told.get("victor_answer_text")
    votes = told.get("total_votes", "0")
    outcome = f"won by {winner}" if winner else "without a winner"
    return f"the poll ended: {question}; {outcome}, {votes} votes"


def _always(words: str) -> Callable[[Json], str]:
    return lambda _: words


_WORDS: Mapping[int, Callable[[Json], str]] = {
    1: lambda m: f"{_who(m)} added {_others(m)}",
    2: lambda m: f"{_who(m)} removed {_others(m)}",
    3: lambda m: f"{_who(m)} called",
    4: lambda m: f"{_who(m)} named the channel {m.get('content', '')}",
    5: lambda m: f"{_who(m)} changed the picture of the channel",
    6: lambda m: f"{_who(m)} pinned a message",
    7: lambda m: f"{_who(m)} joined",
    8: lambda m: f"{_who(m)} boosted the server",
    9: lambda m: f"{_who(m)} boosted the server to level 1",
    10: lambda m: f"{_who(m)} boosted the server to level 2",
    11: lambda m: f"{_who(m)} boosted the server to level 3",
    12: lambda m: f"{_who(m)} lets this channel follow {m.get('content', '')}",
    18: lambda m: f"{_who(m)} began the thread {m.get('content', '')}",
    21: _always("the thread begins with a message of its channel"),
    22: _always("Discord reminds to invite people"),
    24: _always("automatic moderation acted"),
    25: lambda m: f"{_who(m)} bought a role",
    27: lambda m: f"{_who(m)} began the stage {m.get('content', '')}",
    28: lambda m: f"{_who(m)} ended the stage {m.get('content', '')}",
    29: lambda m: f"{_who(m)} speaks on the stage",
    31: lambda m: f"{_who(m)} named the stage {m.get('content', '')}",
    44: lambda m: f"{_who(m)} bought something",
    46: _result,
}
