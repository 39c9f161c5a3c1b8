"""What there is of an account while Slack is connected."""

from dataclasses import dataclass

from messengers.errors import NotConnected
from messengers.providers.base import Sink
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.changes import Changes
from messengers.providers.slack.delivery import Courier
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.intake import Account, Intake
from messengers.providers.slack.past import Past
from messengers.providers.slack.webhook import Door

__all__ = ["Running", "Runs"]


@dataclass(frozen=True, slots=True)
class Running:
    """One run."""

    account: Account
    calls: Calls
    directory: Directory
    intake: Intake
    sink: Sink
    courier: Courier
    changes: Changes
    past: Past
    door: Door


class Runs:
    """The part of the provider that knows whether it runs."""

    _running: Running | None = None

    def running(self) -> Running:
        """Raises NotConnected before a run and after it."""
        if self._running is None:
            raise NotConnected("Slack is not connected at the moment.", "Try again later.")
        return self._running
