"""Votes of a poll, kept by voter so that a changed vote replaces the one before."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["with_counts", "with_votes_of"]

_VOTERS = "poll_voters"


def with_votes_of(
    voter: str, options: Sequence[str], detail: Mapping[str, Any]
) -> dict[str, Any] | None:
    """A message's detail after `options` (names or their SHA-256) became a voter's whole vote.

    None when the message is no poll or nothing changes.
    """
    poll = detail.get("poll")
    if poll is None:
        return None
    names: list[str] = poll["options"]
    chosen = [number for number, name in enumerate(names) if {name, _digest(name)} & set(options)]
    voters: dict[str, list[int]] = detail.get(_VOTERS, {})
    if voters.get(voter, []) == chosen:
        return None
    voters = {**voters, voter: chosen}
    votes = [sum(number in each for each in voters.values()) for number in range(len(names))]
    return {**detail, "poll": {**poll, "votes": votes}, _VOTERS: voters}


def with_counts(votes: Sequence[int], detail: Mapping[str, Any]) -> dict[str, Any] | None:
    """A message's detail with as many votes for each option; None when nothing changes."""
    poll = detail.get("poll")
    if poll is None or len(poll["options"]) != len(votes) or poll["votes"] == list(votes):
        return None
    return {**detail, "poll": {**poll, "votes": list(votes)}}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
