"""How often a caller may ask, a tool be called, an account and a chat be written to.

The owner at the terminal is not limited. What is limited here is how fast somebody else's program
or mistake can be; budgets of a day are another matter.
"""

from messengers.clock import Clock
from messengers.core.acts import Act
from messengers.core.allowance import Allowance, Standing
from messengers.core.callers import OWNER, Caller
from messengers.errors import RateLimited

__all__ = ["Limits"]

_MINUTE_S = 60.0
_MANY = 100_000
"""Keys and peers that are remembered at once."""
_LOCAL = 20
"""So many times the rate of a key is that of programs of the owner's own user."""
_CHANGES_SHARE = 0.5
_SETUPS = 30
_INSTANCE = 600
_RECIPIENT = 120
"""Of what agents ask for; the messenger's own pace is the outbox's."""
_ANONYMOUS = 1_200


class Limits:
    """The allowances of this process."""

    def __init__(self, clock: Clock, requests_per_minute: int, failures_per_minute: int) -> None:
        self._per_minute = requests_per_minute
        self._callers = Allowance(clock, requests_per_minute, _MINUTE_S, _MANY)
        self._tools = Allowance(clock, _SETUPS, _MINUTE_S, _MANY)
        self._instances = Allowance(clock, _INSTANCE, _MINUTE_S)
        self._chats = Allowance(clock, _RECIPIENT, _MINUTE_S, _MANY)
        self._peers = Allowance(clock, _ANONYMOUS, _MINUTE_S, _MANY)
        self._failures = Allowance(clock, failures_per_minute, _MINUTE_S, _MANY)

    def request(self, caller: Caller) -> Standing:
        """One request of a caller."""
        return self._callers.spend(caller.actor, self._rate_of(caller))

    def call(self, caller: Caller, tool: str, kind: str, *, counted: bool) -> None:
        """One call of a tool; `counted`: its request was.

        Raises RateLimited: of all of a caller's requests half may be one changing tool, and of
        what sets up accounts or runs them thirty a minute.
        """
        if caller.actor == OWNER.actor:
            return
        if not counted:
            _refuse(self.request(caller).wait_s, "This client calls too often.")
        if kind == "read":
            return
        share = max(1, int(self._rate_of(caller) * _CHANGES_SHARE))
        count = min(share, _SETUPS) if kind in ("setup", "admin") else share
        wait_s = self._tools.take(f"{caller.actor} {tool}", count)
        _refuse(wait_s, f"{tool} is called too often.")

    def act(self, act: Act) -> None:
        """Something that is done for an account and a chat. Raises RateLimited."""
        if act.caller.actor == OWNER.actor:
            return
        if act.chat is not None:
            wait_s = self._chats.look(act.chat.id).wait_s
            _refuse(wait_s, "Too much for this chat at once.")
        if act.instance_id:
            wait_s = self._instances.take(act.instance_id)
            _refuse(wait_s, f"Too much through {act.instance} at once.")
        if act.chat is not None:
            self._chats.take(act.chat.id)

    def visit(self, peer: str) -> Standing:
        """One request of somebody without a key."""
        return self._peers.spend(peer)

    def failed(self, peer: str) -> Standing:
        """Somebody tried what is not his."""
        return self._failures.spend(peer)

    def barred(self, peer: str) -> Standing:
        """Whether somebody tried too often."""
        return self._failures.look(peer)

    def _rate_of(self, caller: Caller) -> int:
        if caller.rate_per_min is not None:
            return caller.rate_per_min
        return self._per_minute * (_LOCAL if caller.local else 1)


def _refuse(wait_s: float, cause: str) -> None:
    if wait_s:
        raise RateLimited(cause, "Wait, then go on more slowly.", retry_after_s=wait_s)
