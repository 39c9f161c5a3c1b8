"""Queries about groups, and the notifications that tell members of a change."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.fakes.whatsapp_web import outgoing
from tests.fakes.whatsapp_web.devices import Account, Companion, Peer
from tests.fakes.whatsapp_web.membership import Group
from tests.fakes.whatsapp_web.nodes import Node, user_of
from tests.fakes.whatsapp_web.refusal import Refused
from tests.fakes.whatsapp_web.world import World

__all__ = ["answer", "apply", "tell", "tell_created"]

Answer = list[Node] | None


@dataclass(frozen=True)
class GroupQuery:
    world: World
    companion: Companion
    node: Node
    body: Node
    group: Group

    @property
    def asker(self) -> Account:
        return self.companion.account

    @property
    def sets(self) -> bool:
        return self.node["type"] == "set"


async def answer(world: World, companion: Companion, node: Node) -> Answer:
    body = node.first or Node("")
    if node.get("to").startswith("@") or node.get("to") == "g.us":
        return await _without_group(world, companion, node, body)
    group = world.groups.get(node["to"])
    if group is None:
        raise Refused(404, "item-not-found")
    if companion.account not in group.members:
        raise Refused(403, "forbidden")
    asked = GroupQuery(world, companion, node, body, group)
    known = _ANSWERS.get(body.tag)
    if known is None:
        raise NotImplementedError
    return await known(asked)


async def _without_group(world: World, companion: Companion, node: Node, body: Node) -> Answer:
    account = companion.account
    match body.tag:
        case "create":
            group = _created(world, account, body)
            await tell_created(world, group, list(group.members), account, besides=companion)
            return [group.node()]
        case "participating":
            mine = [each.node() for each in world.groups.values() if account in each.members]
            return [Node("groups", None, mine)]
        case "leave":
            left = [each["id"] for each in body.children]
            for jid in left:
                await _leave(world, companion, jid)
            return [Node("leave", None, [Node("group", {"id": jid}) for jid in left])]
        case "invite":
            return await _invitation(world, companion, node, body)
        case _:
            raise NotImplementedError


def _created(world: World, account: Account, body: Node) -> Group:
    people = [world.person(each["jid"]) for each in body.all("participant")]
    group = Group(
        subject=body.get("subject"),
        owner=account,
        members={account: "superadmin", **{person: "" for person in people if person}},
        announcement=body.find("announcement") is not None,
        locked=body.find("locked") is not None,
    )
    if ephemeral := body.find("ephemeral"):
        group.expiration_s = int(ephemeral.get("expiration") or 0)
    world.groups[group.jid] = group
    return group


async def _leave(world: World, companion: Companion, jid: str) -> None:
    group = world.groups.get(jid)
    if group is None or companion.account not in group.members:
        raise Refused(404, "item-not-found")
    change = Node("remove", None, [group.participant(companion.account)])
    del group.members[companion.account]
    await tell(world, group, companion.account, change, besides=companion)


async def _invitation(world: World, companion: Companion, node: Node, body: Node) -> Answer:
    code = body["code"]
    group = next((each for each in world.groups.values() if each.invite == code), None)
    if group is None:
        raise Refused(406, "not-acceptable")
    if node["type"] == "get":
        return [group.node()]
    joining = companion.account
    if joining not in group.members:
        group.members[joining] = ""
        change = Node("add", {"reason": "invite"}, [group.participant(joining)])
        await tell(world, group, joining, change, besides=companion)
    return [Node("group", {"jid": group.jid})]


async def _query(asked: GroupQuery) -> Answer:
    return [asked.group.node()]


async def _participants(asked: GroupQuery) -> Answer:
    _admin_only(asked)
    group, done = asked.group, list[Node]()
    changed: list[Peer] = []
    for each in asked.body.all("participant"):
        person = asked.world.person(each["jid"])
        is_new = asked.body.tag == "add"
        if person is None or (person in group.members) is is_new:
            error = 409 if person and is_new else 404
            done.append(Node("participant", {"jid": each["jid"], "error": error}))
            continue
        changed.append(person)
        done.append(Node("participant", group.participant(person).attrs))
    await apply(asked.world, group, asked.body.tag, changed, asked.asker, besides=asked.companion)
    return [Node(asked.body.tag, None, done)]


def _admin_only(asked: GroupQuery) -> None:
    if not asked.group.members[asked.asker]:
        raise Refused(403, "forbidden")


async def apply(
    world: World,
    group: Group,
    action: str,
    people: Sequence[Peer],
    by: Peer,
    *,
    besides: Companion | None = None,
) -> None:
    """add, remove, promote or demote; the devices of all concerned are told."""
    concerned = list(dict.fromkeys([*group.members, *people]))
    nodes = [group.participant(person) for person in people]
    for person in people:
        match action:
            case "add" | "demote":
                group.members[person] = ""
            case "promote":
                group.members[person] = "admin"
            case _:
                group.members.pop(person, None)
    if action == "add":
        await tell_created(world, group, people, by, besides=besides)
        concerned = [person for person in concerned if person not in people]
    await tell(world, group, by, Node(action, None, nodes), to=concerned, besides=besides)


async def _subject(asked: GroupQuery) -> Answer:
    if asked.group.locked:
        _admin_only(asked)
    asked.group.subject = asked.body.raw.decode()
    change = subject_change(asked.group, asked.asker)
    await tell(asked.world, asked.group, asked.asker, change, besides=asked.companion)
    return None


def subject_change(group: Group, by: Peer) -> Node:
    attrs = {"subject": group.subject, "s_t": int(time.time()), "s_o": group.jid_of(by)}
    return Node("subject", attrs)


async def _description(asked: GroupQuery) -> Answer:
    if asked.group.locked:
        _admin_only(asked)
    group, body = asked.group, asked.body.find("body")
    group.description = body.raw.decode() if body else ""
    group.description_id = asked.body["id"]
    change = description_change(group)
    await tell(asked.world, group, asked.asker, change, besides=asked.companion)
    return None


def description_change(group: Group) -> Node:
    text = Node("body", None, group.description) if group.description else Node("delete")
    return Node("description", {"id": group.description_id}, [text])


async def _setting(asked: GroupQuery) -> Answer:
    _admin_only(asked)
    set_switch(asked.group, asked.body)
    change = Node(asked.body.tag, {"v_id": "1", **asked.body.attrs})
    await tell(asked.world, asked.group, asked.asker, change, besides=asked.companion)
    return None


def set_switch(group: Group, switch: Node) -> None:
    match switch.tag:
        case "announcement" | "not_announcement":
            group.announcement = switch.tag == "announcement"
        case "locked" | "unlocked":
            group.locked = switch.tag == "locked"
        case _:
            group.expiration_s = int(switch.get("expiration") or 0)


async def _invite(asked: GroupQuery) -> Answer:
    _admin_only(asked)
    if asked.sets:
        asked.group.invite = Group("", asked.asker, {}).invite
    return [Node("invite", {"code": asked.group.invite})]


async def tell(
    world: World,
    group: Group,
    by: Peer,
    change: Node,
    *,
    to: Sequence[Peer] | None = None,
    besides: Companion | None = None,
) -> None:
    """A notification to the linked devices of the members."""
    for companion in world.linked(group.members if to is None else to):
        if companion is not besides:
            await _notify(world, companion, group, by, change)


async def tell_created(
    world: World,
    group: Group,
    people: Sequence[Peer],
    by: Peer,
    *,
    besides: Companion | None = None,
) -> None:
    """Who is new in a group learns all of it."""
    change = Node("create", {"type": "new", "key": user_of(group.jid)}, [group.node()])
    for companion in world.linked(people):
        if companion is not besides:
            await _notify(world, companion, group, by, change)


async def _notify(world: World, companion: Companion, group: Group, by: Peer, change: Node) -> None:
    who = {"participant": group.jid_of(by), "notify": by.name, "addressing_mode": group.addressing}
    if group.lid_addressing:
        who["participant_pn"] = by.pn
    await outgoing.notify(world, companion, "w:gp2", group.jid, [change], **who)


_SWITCHES = (
    "announcement",
    "not_announcement",
    "locked",
    "unlocked",
    "ephemeral",
    "not_ephemeral",
)
_ANSWERS: dict[str, Callable[[GroupQuery], Awaitable[Answer]]] = {
    "query": _query,
    "subject": _subject,
    "description": _description,
    "invite": _invite,
    **dict.fromkeys(("add", "remove", "promote", "demote"), _participants),
    **dict.fromkeys(_SWITCHES, _setting),
}
