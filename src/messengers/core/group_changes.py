"""What changes a group: prepared as acts, because each reaches everyone in it.

Who belongs to a group, who lets others in and whether the account stays are the owner's to agree
to, each time and whatever he decided for writing there; only the policy `never` says otherwise.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from messengers.core.access import READ_ONLY
from messengers.core.acts import Act, InstanceAnswer, Shown
from messengers.core.approvals import Approvals
from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.deadlines import answered, told
from messengers.core.groups import Groups
from messengers.core.instances import Instances
from messengers.core.leaks import Leaks, suspected
from messengers.core.media import Media
from messengers.core.people import People, Person
from messengers.core.sending import check_text
from messengers.core.shown import recipient
from messengers.core.sources import Sources
from messengers.core.words import counted
from messengers.errors import Forbidden, InvalidInput
from messengers.models import Chat, Instance, Outcome, SentMessage
from messengers.providers.base import MediaBytes
from messengers.providers.groups import (
    GroupMember,
    GroupUpdate,
    ManagesGroups,
    MemberChange,
    MemberOutcome,
)

__all__ = ["GroupChanges"]

_MAX_NAME = 128
_MAX_DESCRIPTION = 2_048
_ASK_OWNER = "Only the owner can change that."
_DONE = {
    "add": "added",
    "remove": "removed",
    "ban": "banned",
    "promote": "admin now",
    "demote": "no admin any more",
}
_TITLES = {
    "add": "Add to a group",
    "remove": "Remove from a group",
    "ban": "Ban from a group",
    "promote": "Make admins of a group",
    "demote": "Take admins of a group their role",
}


class GroupChanges:
    """Prepares them and does them."""

    def __init__(
        self,
        instances: Instances,
        chats: Chats,
        groups: Groups,
        people: People,
        media: Media,
        sources: Sources,
        approvals: Approvals,
        leaks: Leaks,
    ) -> None:
        self._leaks = leaks
        self._instances = instances
        self._chats = chats
        self._groups = groups
        self._people = people
        self._media = media
        self._sources = sources
        approvals.executors["create_group"] = self._create
        approvals.executors["change_group_members"] = self._change
        approvals.executors["update_group"] = self._update
        approvals.executors["get_group_invite"] = self._invite
        approvals.executors["renew_group_invite"] = self._invite
        approvals.executors["leave_group"] = self._leave

    async def prepare_create(
        self, caller: Caller, instance: str, name: str, members: Sequence[str]
    ) -> Act:
        """A new group of one account with these people in it."""
        chosen = await self._groups.account(caller, instance)
        self._groups.manager(chosen)
        if chosen.read_only:
            raise Forbidden(READ_ONLY, _ASK_OWNER)
        name = _name(name)
        people = await self._people.named(caller, chosen, members)
        self._require_open(chosen, people)
        why = "A new group reaches everyone who is put into it."
        act = Act(
            action="create_group",
            caller=caller,
            shown=Shown(
                title=f"Make a group on {chosen.provider}",
                recipient=chosen.name,
                text="\n".join((f"Name: {name}", *_listed(people))),
                why=why,
            ),
            payload={"instance": chosen.id, "name": name, "members": _kept(people)},
            instance_id=chosen.id,
            instance=chosen.name,
            provider=chosen.provider,
            needs_approval=chosen.confirm != "never",
            why=why,
        )
        return suspected(act, await self._leaks.of_texts(caller, None, name))

    async def prepare_members(
        self, caller: Caller, chat: str, change: MemberChange, members: Sequence[str]
    ) -> Act:
        """One change for several people; those in the group go by their ids there as well."""
        place, chosen = await self._groups.find(caller, chat, write=True)
        present: tuple[GroupMember, ...] = ()
        if change != "add":
            seen = await self._groups.seen(place, chosen)
            if seen.run_by_admins and not seen.i_am_admin:
                raise Forbidden("This account is no admin of that group.", "Ask one of its admins.")
            present = seen.members
        people = await self._people.named(caller, chosen, members, present)
        if not people:
            raise InvalidInput("members is empty.", "Name at least one.")
        if change == "add":
            self._require_open(chosen, people)
        shown = Shown(
            title=_TITLES[change], recipient=recipient(place), text="\n".join(_listed(people))
        )
        why = "It changes who is in the group or who runs it."
        payload = {"change": change, "members": _kept(people)}
        return self._act(caller, "change_group_members", place, chosen, shown, payload, why)

    async def prepare_update(
        self,
        caller: Caller,
        chat: str,
        *,
        name: str = "",
        description: str = "",
        picture: str = "",
        announcements: bool | None = None,
    ) -> Act:
        """Another name, description or picture, or who may write; what is empty stays."""
        place, chosen = await self._groups.find(caller, chat, write=True)
        provider = self._groups.manager(chosen)
        payload: dict[str, Any] = {"announcements": announcements}
        lines: list[str] = []
        if name:
            payload["name"] = _name(name)
            lines.append(f"Name: {payload['name']}")
        if description:
            payload["description"] = _description(description)
            lines.append(f"Description: {payload['description']}")
        if announcements is not None:
            lines.append(f"Only admins write: {'yes' if announcements else 'no'}")
        if not lines and not picture:
            raise InvalidInput(
                "Nothing is to be changed.", "Give name, description, picture or announcements."
            )
        self._refuse(place, chosen)
        shown = Shown(title="Change a group", recipient=recipient(place), text="\n".join(lines))
        leak = await self._leaks.of_texts(caller, place, name, description)
        if picture:
            file = await self._picture(caller, picture, place, provider)
            payload["picture"] = file.media
            named = f"picture {file.name} ({counted(len(file.data), 'byte')})"
            shown = shown.model_copy(update={"attachments": (named,)})
            leak = leak or await self._leaks.of_files(caller, place, [file.data])
        return suspected(self._act(caller, "update_group", place, chosen, shown, payload), leak)

    async def _picture(
        self, caller: Caller, source: str, place: Chat, provider: ManagesGroups
    ) -> MediaBytes:
        file = await self._sources.outgoing(caller, source, place, provider.capabilities())
        if file.kind != "image":
            raise InvalidInput("picture is no picture.", "Give a PNG, JPEG or WebP file.")
        return file

    async def prepare_invite(self, caller: Caller, chat: str, *, renew: bool = False) -> Act:
        """The link that lets people in. Showing it changes nothing, so nobody is asked for that."""
        place, chosen = await self._groups.find(caller, chat, write=True)
        self._groups.manager(chosen)
        payload = {"renew": renew}
        if renew:
            shown = Shown(title="Renew the link to a group", recipient=recipient(place))
            why = "The link that people have now lets nobody in any more."
            return self._act(caller, "renew_group_invite", place, chosen, shown, payload, why)
        shown = Shown(title="Show the link to a group", recipient=recipient(place))
        return _of_chat(caller, "get_group_invite", place, chosen, shown, payload)

    async def prepare_leave(self, caller: Caller, chat: str) -> Act:
        """Out of the group; what is stored of it stays."""
        place, chosen = await self._groups.find(caller, chat, write=True)
        self._groups.manager(chosen)
        shown = Shown(title="Leave a group", recipient=recipient(place))
        why = "Only a member can bring the account back into the group."
        return self._act(caller, "leave_group", place, chosen, shown, {}, why)

    def _require_open(self, chosen: Instance, people: Sequence[Person]) -> None:
        """Raises Forbidden: an access rule says that nothing goes to one of them."""
        for person in people:
            if why := self._chats.access.bars(chosen.id, person.keys):
                raise Forbidden(f"{person.label}: {why}", _ASK_OWNER)

    def _refuse(self, place: Chat, chosen: Instance) -> None:
        verdict = self._chats.access.judge(place, chosen)
        if verdict.refused:
            raise Forbidden(verdict.why, _ASK_OWNER)

    def _act(
        self,
        caller: Caller,
        action: str,
        place: Chat,
        chosen: Instance,
        shown: Shown,
        payload: dict[str, Any],
        always: str = "",
    ) -> Act:
        """The act under its verdict; `always` is why the owner is asked also where he is known."""
        self._refuse(place, chosen)
        verdict = self._chats.access.judge(place, chosen)
        asks = bool(always) and chosen.confirm != "never"
        why = verdict.why if not verdict.allowed and not always else always
        return _of_chat(
            caller, action, place, chosen, shown, payload, asks or not verdict.allowed, why
        )

    async def _create(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> InstanceAnswer:
        chosen = self._instances.resolve(caller, payload["instance"])
        if chosen.read_only:
            raise Forbidden(READ_ONLY, _ASK_OWNER)
        natives = [native for native, _ in payload["members"]]
        seen = await answered(self._groups.manager(chosen).create_group(payload["name"], natives))
        found = await self._groups.chats_of(chosen, [seen])
        inside = {member.native_id for member in seen.members}
        missing = [label for native, label in payload["members"] if native not in inside]
        return InstanceAnswer(
            instance=chosen.name,
            id=chosen.id,
            provider=chosen.provider,
            chat=found[seen.native_id].id,
            notes=tuple(f"{label}: not added; get_group_invite gives a link" for label in missing),
        )

    async def _change(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        place, provider = await self._at(payload, caller)
        change: MemberChange = payload["change"]
        natives = [native for native, _ in payload["members"]]
        results = await answered(provider.change_members(place.native_id, change, natives))
        labels = dict(payload["members"])
        done = any(result.done for result in results)
        return SentMessage(
            chat=place.id,
            outcome=Outcome.ACCEPTED if done else Outcome.FAILED,
            notes=tuple(
                f"{labels.get(result.native_id, result.native_id)}: {_fate(result, change)}"
                for result in results
            ),
        )

    async def _update(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        place, provider = await self._at(payload, caller)
        picture = payload.get("picture")
        update = GroupUpdate(
            name=payload.get("name"),
            description=payload.get("description"),
            picture=(await self._media.load(picture)).data if picture else None,
            announcements=payload["announcements"],
        )
        await answered(provider.update_group(place.native_id, update))
        if update.name:
            await self._groups.renamed(place, update.name)
        return SentMessage(chat=place.id, outcome=Outcome.ACCEPTED)

    async def _invite(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        place, provider = await self._at(payload, caller)
        renew: bool = payload["renew"]
        call = provider.invite_link(place.native_id, renew)
        link = await (answered(call) if renew else told(call))
        return SentMessage(chat=place.id, outcome=Outcome.ACCEPTED, link=link)

    async def _leave(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        place, provider = await self._at(payload, caller)
        await answered(provider.leave_group(place.native_id))
        return SentMessage(chat=place.id, outcome=Outcome.ACCEPTED)

    async def _at(self, payload: Mapping[str, Any], caller: Caller) -> tuple[Chat, ManagesGroups]:
        place = await self._chats.get(caller, payload["chat"])
        return place, self._groups.manager(self._instances.by_name(place.instance))


def _of_chat(
    caller: Caller,
    action: str,
    place: Chat,
    chosen: Instance,
    shown: Shown,
    payload: Mapping[str, Any],
    asks: bool = False,
    why: str = "",
) -> Act:
    return Act(
        action=action,
        caller=caller,
        shown=shown.model_copy(update={"why": why if asks else ""}),
        payload={**payload, "chat": place.id},
        instance_id=chosen.id,
        instance=chosen.name,
        provider=chosen.provider,
        chat=place,
        needs_approval=asks,
        why=why,
    )


def _name(text: str) -> str:
    check_text(text)
    name = " ".join(text.split())
    if not name or len(name) > _MAX_NAME:
        raise InvalidInput(f"name must have 1 to {_MAX_NAME} characters.", "Choose another.")
    return name


def _description(text: str) -> str:
    check_text(text)
    if len(text) > _MAX_DESCRIPTION:
        raise InvalidInput(f"description is longer than {_MAX_DESCRIPTION:,} characters.")
    return text.strip()


def _listed(people: Sequence[Person]) -> list[str]:
    return [f"Member: {person.shown}" for person in people]


def _kept(people: Sequence[Person]) -> list[list[str]]:
    return [[person.native_id, person.label] for person in people]


def _fate(result: MemberOutcome, change: MemberChange) -> str:
    return _DONE[change] if result.done else result.why or "refused by the messenger"
