"""The one way out to addresses that a user, an agent or a message names."""

from messengers.guarded.client import Guard
from messengers.guarded.hosts import AllowedHosts
from messengers.guarded.replies import Reply

__all__ = ["AllowedHosts", "Guard", "Reply"]
