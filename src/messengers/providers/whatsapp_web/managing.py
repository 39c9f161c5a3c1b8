"""Groups, blocked people and portraits: what the provider asks its worker for these."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from messengers.errors import PlatformRefused, Uncertain, Unsupported
from messengers.providers.groups import (
    GroupMember,
    GroupSeen,
    GroupUpdate,
    MemberChange,
    MemberOutcome,
)

__all__ = ["Managing"]

_WHY = {
    403: "Their privacy settings do not let us add them; send them the invite link.",
    404: "They are not in the group, or not on WhatsApp.",
    408: "They left the group a short time ago; send them the invite link.",
    409: "They are in the group already.",
}
"""Codes that WhatsApp answers for a member."""


class Managing:
    """The part of the provider that runs groups, blocks people and shows how they look."""

    async def ask(self, call: str, **given: object) -> Any:  # noqa: ANN401 - any JSON
        """One call of the worker."""
        raise NotImplementedError

    async def groups(self) -> Sequence[GroupSeen]:
        """All that the account is in, with their members."""
        return [_group(each) for each in await self.ask("groups")]

    async def group(self, chat_native_id: str) -> GroupSeen:
        """One, with its members. Raises NotFound when the account is not in it."""
        return _group(await self.ask("group", chat=chat_native_id))

    async def create_group(self, name: str, members: Sequence[str]) -> GroupSeen:
        """A new one."""
        return _group(await self.ask("create_group", name=name, members=list(members)))

    async def change_members(
        self, chat_native_id: str, change: MemberChange, members: Sequence[str]
    ) -> Sequence[MemberOutcome]:
        """One change for several members."""
        if change == "ban":
            raise Unsupported("WhatsApp bans nobody from a group.", "Remove them.")
        answers = await self.ask(
            "change_members", chat=chat_native_id, change=change, members=list(members)
        )
        return [_outcome(each) for each in answers]

    async def update_group(self, chat_native_id: str, update: GroupUpdate) -> None:
        """Each part of an update is a call of its own: what came before a refusal is done."""
        picture = base64.b64encode(update.picture).decode() if update.picture else None
        parts: dict[str, object] = {
            "name": update.name,
            "description": update.description,
            "announcements": update.announcements,
            "picture": picture,
        }
        done: list[str] = []
        for part, value in parts.items():
            if value is None:
                continue
            try:
                await self.ask("update_group", chat=chat_native_id, **{part: value})
            except PlatformRefused as exc:
                if not done:
                    raise
                told = f"Changed: {', '.join(done)}. Not changed: {part}. {exc}"
                raise Uncertain(told, "Look at the group.") from exc
            done.append(part)

    async def invite_link(self, chat_native_id: str, renew: bool = False) -> str:
        """The link that lets people in."""
        answer = await self.ask("invite_link", chat=chat_native_id, renew=renew)
        return str(answer["link"])

    async def leave_group(self, chat_native_id: str) -> None:
        """Leave it."""
        await self.ask("leave_group", chat=chat_native_id)

    async def blocked(self) -> Sequence[str]:
        """Who cannot write to the account."""
        return [each["id"] for each in await self.ask("blocked")]

    async def block(self, chat_native_id: str, blocked: bool) -> None:
        """Block a person, or let him write again."""
        await self.ask("block", chat=chat_native_id, blocked=blocked)

    async def portrait(self, chat_native_id: str, max_bytes: int) -> bytes:
        """The picture that a person or a group has of itself."""
        answer = await self.ask("picture", chat=chat_native_id, max_bytes=max_bytes)
        return base64.b64decode(answer["data"])


def _group(group: Mapping[str, Any]) -> GroupSeen:
    members = tuple(
        GroupMember(
            native_id=each["id"],
            display_name=each.get("name", ""),
            phone=each.get("phone", ""),
            role=each["role"],
        )
        for each in group["members"]
    )
    return GroupSeen(
        native_id=group["id"],
        name=group["name"],
        description=group["description"],
        owner_native_id=group["owner"],
        announcements=group["announcements"],
        i_am_admin=group["i_am_admin"],
        members=members,
        size=len(members),
    )


def _outcome(answer: Mapping[str, Any]) -> MemberOutcome:
    code = answer["code"]
    why = "" if code == 0 else _WHY.get(code, f"WhatsApp refused it (code {code}).")
    return MemberOutcome(native_id=answer["id"], done=code == 0, why=why)
