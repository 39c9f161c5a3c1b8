"""Where a chat stands in the account's own list: archived, pinned, muted.

Nobody else sees it, so it is asked for only where the owner wants to be asked for everything.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from messengers.core.acts import Act, Shown
from messengers.core.approvals import Approvals
from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.deadlines import answered
from messengers.core.instances import Instances
from messengers.core.sending import recipient
from messengers.errors import Forbidden, InvalidInput, Unsupported
from messengers.models import Instance, Outcome, SentMessage
from messengers.providers.arrangement import Arrangement, ArrangesChats
from messengers.providers.capabilities import Level

__all__ = ["Arrangements"]


class Arrangements:
    """Prepares and does them."""

    def __init__(self, instances: Instances, chats: Chats, approvals: Approvals) -> None:
        self._instances = instances
        self._chats = chats
        approvals.executors["arrange_chat"] = self._arrange

    async def prepare(self, caller: Caller, chat: str, wanted: Arrangement) -> Act:
        """What of the chat's place would change."""
        await self._instances.able(
            caller, lambda able: able.arrange is not Level.REJECT, "archive, pin or mute chats"
        )
        lines = _said(wanted)
        if not lines:
            raise InvalidInput("Nothing is to be changed.", "Give archived, pinned or mute.")
        place = await self._chats.find(caller, chat, write=True)
        chosen = self._instances.by_name(place.instance)
        self._arranger(chosen)
        if chosen.read_only:
            raise Forbidden("This instance is read-only.", "Only the owner can change that.")
        why = "This instance asks before everything." if chosen.confirm == "always" else ""
        return Act(
            action="arrange_chat",
            caller=caller,
            shown=Shown(
                title="Change a chat's place in the list",
                recipient=recipient(place),
                text="\n".join(lines),
                why=why,
            ),
            payload={
                "chat": place.id,
                "archived": wanted.archived,
                "pinned": wanted.pinned,
                "muted": wanted.muted,
                "until": wanted.muted_until.isoformat() if wanted.muted_until else "",
            },
            instance_id=chosen.id,
            instance=chosen.name,
            provider=chosen.provider,
            chat=place,
            needs_approval=bool(why),
            why=why,
        )

    def _arranger(self, chosen: Instance) -> ArrangesChats:
        provider = self._instances.provider_for_parsing(chosen.id)
        if not isinstance(provider, ArrangesChats):
            raise Unsupported(f"{chosen.provider} cannot archive, pin or mute chats.")
        self._instances.provider(chosen.id)
        return provider

    async def _arrange(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        place = await self._chats.get(caller, payload["chat"])
        provider = self._arranger(self._instances.by_name(place.instance))
        wanted = Arrangement(
            archived=payload["archived"],
            pinned=payload["pinned"],
            muted=payload["muted"],
            muted_until=datetime.fromisoformat(payload["until"]) if payload["until"] else None,
        )
        await answered(provider.arrange(place.native_id, wanted))
        return SentMessage(chat=place.id, outcome=Outcome.ACCEPTED)


def _said(wanted: Arrangement) -> list[str]:
    """In words, what would change."""
    lines: list[str] = []
    if wanted.archived is not None:
        lines.append("Into the archive" if wanted.archived else "Out of the archive")
    if wanted.pinned is not None:
        lines.append("Pinned" if wanted.pinned else "Not pinned any more")
    if wanted.muted is not None:
        until = wanted.muted_until
        ends = f" until {until.isoformat(' ', 'minutes')}" if until else ""
        lines.append(f"Muted{ends}" if wanted.muted else "Not muted any more")
    return lines
