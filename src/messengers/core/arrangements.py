"""Where a chat stands in the account's own list, archived, pinned, muted, and who is blocked.

Nobody else sees an order, so it is asked for only where the owner wants to be asked for everything.
Who is blocked writes in vain, so that is asked for as a change to other people is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from messengers.core.acts import Act, Shown
from messengers.core.approvals import Approvals
from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.deadlines import answered, told
from messengers.core.instances import Instances
from messengers.core.shown import recipient
from messengers.core.views import BlockedPerson
from messengers.errors import Forbidden, InvalidInput, Unsupported
from messengers.models import Instance, Outcome, SentMessage
from messengers.providers.arrangement import Arrangement, ArrangesChats, BlocksPeople
from messengers.providers.capabilities import Level

__all__ = ["Arrangements"]


_TITLES = {
    None: "Change a chat's place in the list",
    True: "Block a person",
    False: "Let a blocked person write again",
}


class Arrangements:
    """Prepares and does them."""

    def __init__(self, instances: Instances, chats: Chats, approvals: Approvals) -> None:
        self._instances = instances
        self._chats = chats
        approvals.executors["arrange_chat"] = self._arrange

    async def prepare(
        self, caller: Caller, chat: str, wanted: Arrangement, blocked: bool | None = None
    ) -> Act:
        """What of the chat's place would change, or whether its person is blocked."""
        await self._instances.able(
            caller,
            lambda able: {able.arrange, able.block} != {Level.REJECT},
            "archive, pin, mute or block chats",
        )
        lines = _said(wanted, blocked)
        if not lines:
            raise InvalidInput(
                "Nothing is to be changed.", "Give archived, pinned, mute or blocked."
            )
        place = await self._chats.find(caller, chat, write=True)
        chosen = self._instances.by_name(place.instance)
        if blocked is None:
            self._arranger(chosen)
        else:
            self._blocker(chosen)
            if len(lines) > 1:
                raise InvalidInput("A chat is blocked or arranged, one at a time.", "Call twice.")
            if place.kind != "dm":
                raise InvalidInput("Only a person can be blocked.", "Leave a group, or mute it.")
        verdict = self._chats.access.judge(place, chosen)
        if verdict.refused:
            raise Forbidden(verdict.why, "Only the owner can change that.")
        why = _why(chosen, blocked)
        return Act(
            action="arrange_chat",
            caller=caller,
            shown=Shown(
                title=_TITLES[blocked],
                recipient=recipient(place),
                text="\n".join(lines),
                why=why,
            ),
            payload={
                "chat": place.id,
                "archived": wanted.archived,
                "pinned": wanted.pinned,
                "muted": wanted.muted,
                "blocked": blocked,
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

    def _blocker(self, chosen: Instance) -> BlocksPeople:
        provider = self._instances.provider_for_parsing(chosen.id)
        if not isinstance(provider, BlocksPeople):
            raise Unsupported(f"{chosen.provider} cannot block people.")
        self._instances.provider(chosen.id)
        return provider

    async def blocked(self, caller: Caller, instance: str) -> Sequence[BlockedPerson]:
        """Who cannot write to an account, for the owner.

        Raises:
            Unsupported: the messenger has no such list.
            NotConnected: the list is the messenger's own, and it is not reached.
        """
        caller.require_owner()
        chosen = self._instances.resolve(caller, instance)
        found: list[BlockedPerson] = []
        for native_id in await told(self._blocker(chosen).blocked()):
            chat = await self._chats.get_by_native(chosen.id, native_id)
            named = {"chat": chat.id, "name": chat.name} if chat else {}
            found.append(BlockedPerson(native_id=native_id, **named))
        return found

    async def _arrange(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        place = await self._chats.get(caller, payload["chat"])
        chosen = self._instances.by_name(place.instance)
        wanted = Arrangement(
            archived=payload["archived"],
            pinned=payload["pinned"],
            muted=payload["muted"],
            muted_until=datetime.fromisoformat(payload["until"]) if payload["until"] else None,
        )
        if (blocked := payload["blocked"]) is not None:
            await answered(self._blocker(chosen).block(place.native_id, blocked))
        else:
            await answered(self._arranger(chosen).arrange(place.native_id, wanted))
        return SentMessage(chat=place.id, outcome=Outcome.ACCEPTED)


def _why(chosen: Instance, blocked: bool | None) -> str:
    """Why the owner is asked; empty: he is not."""
    if blocked is not None and chosen.confirm != "never":
        return "It changes whether somebody can write to this account."
    return "This instance asks before everything." if chosen.confirm == "always" else ""


def _said(wanted: Arrangement, blocked: bool | None) -> list[str]:
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
    if blocked is not None:
        lines.append("Blocked: cannot write here" if blocked else "Not blocked any more")
    return lines
