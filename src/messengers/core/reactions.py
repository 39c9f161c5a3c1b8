"""Reactions of a message as they stand, and how one sender changes them."""

from collections.abc import Iterable, Sequence

from messengers.models import Reaction

__all__ = ["turned", "with_those_of"]


def turned(
    sender: str, emoji: str, stored: Iterable[Reaction], *, given: bool, is_me: bool
) -> list[str]:
    """All that one sender gives after he gave one more, or took it back."""
    mine = [each.emoji for each in stored if (each.by_me if is_me else sender in each.by)]
    others = [each for each in mine if each != emoji]
    return [*others, emoji] if given else others


def with_those_of(
    sender: str, emojis: Sequence[str], stored: Iterable[Reaction], *, is_me: bool
) -> list[Reaction]:
    """`stored` after `emojis` became all that one sender gives; counts of unknown givers stay."""
    found = {reaction.emoji: reaction for reaction in stored}
    his = {emoji for emoji, each in found.items() if (each.by_me if is_me else sender in each.by)}
    for emoji in his.difference(emojis):
        less = found[emoji]
        rest = tuple(each for each in less.by if each != sender)
        taker = {"by_me": False} if is_me else {"by": rest}
        found[emoji] = less.model_copy(update={"count": less.count - 1, **taker})
    for emoji in emojis:
        if emoji in his:
            continue
        known = found.get(emoji) or Reaction(emoji=emoji, count=0)
        giver = {"by_me": True} if is_me else {"by": (*known.by, sender)}
        found[emoji] = known.model_copy(update={"count": known.count + 1, **giver})
    return [reaction for reaction in found.values() if reaction.count > 0]
