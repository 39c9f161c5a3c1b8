"""Rates: how often a token may call a method, as tests script it.

https://docs.slack.dev/apis/web-api/rate-limits
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field

from tests.fakes.slack.people import words
from tests.fakes.slack.requests import Call

__all__ = ["TIERS", "Limit", "Limits"]

_PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
_TIER_OF = {
    2: """bookmarks.add bookmarks.remove conversations.archive conversations.close
        conversations.create conversations.list conversations.rename conversations.setPurpose
        conversations.setTopic conversations.unarchive emoji.list pins.add pins.list pins.remove
        reactions.remove search.messages usergroups.list usergroups.users.list users.list""",
    3: """apps.connections.open bookmarks.list bots.info chat.delete chat.deleteScheduledMessage
        chat.meMessage chat.scheduleMessage chat.scheduledMessages.list chat.update
        conversations.history conversations.info conversations.invite conversations.join
        conversations.kick conversations.leave conversations.mark conversations.open
        conversations.replies files.delete reactions.add reactions.get team.info
        users.conversations users.getPresence users.lookupByEmail""",
    4: """chat.postEphemeral conversations.members files.completeUploadExternal
        files.getUploadURLExternal files.info users.info users.profile.get views.open
        views.publish views.update""",
}
TIERS = {name: _PER_MINUTE[tier] for tier, names in _TIER_OF.items() for name in words(names)}
"""Calls a minute."""


@dataclass(frozen=True)
class Limit:
    method: str
    count: int
    window_s: float
    per_channel: bool = False


@dataclass
class Limits:
    rules: list[Limit] = field(default_factory=list[Limit])
    _calls: dict[tuple[str, ...], list[float]] = field(
        default_factory=lambda: defaultdict[tuple[str, ...], list[float]](list)
    )

    def wait_s(self, call: Call, now: float) -> int:
        """Whole seconds to wait; 0 lets it in, and counts it."""
        rules = [each for each in self.rules if each.method == call.method]
        waits = [self._wait(each, call, now) for each in rules]
        if any(waits):
            return math.ceil(max(waits))
        for rule in rules:
            self._calls[_key(rule, call)].append(now)
        return 0

    def _wait(self, rule: Limit, call: Call, now: float) -> float:
        key = _key(rule, call)
        recent = [each for each in self._calls[key] if now - each < rule.window_s]
        self._calls[key] = recent
        return recent[0] + rule.window_s - now if len(recent) >= rule.count else 0


def _key(rule: Limit, call: Call) -> tuple[str, ...]:
    """Per method, app and workspace."""
    team = call.token.workspace.id if call.token.workspace else ""
    channel = call.text("channel") if rule.per_channel else ""
    return rule.method, str(rule.window_s), call.app.id, team, channel
