"""What owners do on their phones, and what WhatsApp does to their devices."""

import time
from collections.abc import Iterable, Sequence

import anyio

from tests.fakes.whatsapp_web import groupqueries, history, outgoing, pairing
from tests.fakes.whatsapp_web.devices import Account, Companion, Peer
from tests.fakes.whatsapp_web.history import Conversation
from tests.fakes.whatsapp_web.membership import Group, Role
from tests.fakes.whatsapp_web.nodes import SERVER, Node, user_of
from tests.fakes.whatsapp_web.wire import Proto
from tests.fakes.whatsapp_web.world import World

__all__ = ["Groups", "Phones"]

# An engine that is closed at once takes it for a lost connection.
_SETTLE_S = 0.2


class Phones(World):
    """Linking, unlinking, the past, and everything that syncs from the phone."""

    def add_account(self, phone: str, name: str, *, business: bool = False) -> Account:
        """A person whose phone can link devices."""
        account = Account(phone, name, business=business)
        self._know(account)
        return account

    def add_contact(self, phone: str, name: str, *, lid_addressing: bool = True) -> Peer:
        """`lid_addressing=False` writes from the phone number, as was usual before 2025."""
        peer = Peer(phone, name, lid_addressing=lid_addressing)
        self._know(peer)
        return peer

    def _know(self, person: Peer) -> None:
        self.people[person.phone] = self.people[user_of(person.lid)] = person

    async def scan_qr(self, text: str, account: Account) -> Companion:
        return await pairing.scan_qr(self, text, account)

    async def enter_code(self, code: str, account: Account) -> Companion:
        return await pairing.enter_code(self, code, account)

    def give_history(
        self, account: Account, conversations: Iterable[Conversation], **options: Proto
    ) -> None:
        """What the phone gives each device it links from now on; options as `push_history`."""
        notices = history.notifications(self.cdn, conversations, **options)
        self.histories.setdefault(account.phone, []).extend(notices)

    async def push_history(
        self, companion: Companion, conversations: Iterable[Conversation] = (), **options: Proto
    ) -> int:
        """Sends it now; returns the number of chunks. Options as `history.notifications`."""
        notices = list(history.notifications(self.cdn, conversations, **options))
        for notice in notices:
            await outgoing.notify_phone(self, companion, notice)
        return len(notices)

    async def rename_contact(self, account: Account, contact: Peer, full_name: str) -> None:
        """In the phone's address book."""
        account.app_state.name_contact(contact.pn, contact.lid, full_name)
        await self._synced(account, "critical_unblock_low")

    async def archive(self, account: Account, chat: Peer | Group, *, archived: bool = True) -> None:
        account.app_state.archive(chat.jid, archived=archived)
        await self._synced(account, "regular_low")

    async def mute(self, account: Account, chat: Peer | Group, *, until_ms: int | None) -> None:
        account.app_state.mute(chat.jid, until_ms=until_ms)
        await self._synced(account, "regular_high")

    async def pin(self, account: Account, chat: Peer | Group, *, pinned: bool = True) -> None:
        account.app_state.pin(chat.jid, pinned=pinned)
        await self._synced(account, "regular_low")

    async def _synced(self, account: Account, name: str) -> None:
        change = Node(
            "collection", {"name": name, "version": account.app_state.collection(name).version}
        )
        for companion in self.linked([account]):
            await outgoing.notify(self, companion, "server_sync", SERVER, [change])

    async def set_picture(
        self, owner: Peer | Group, data: bytes | None, *, by: Peer | None = None
    ) -> None:
        """Everybody's devices are told."""
        owner.picture = data
        change = Node("set", {"jid": owner.jid, "id": int(time.time())})
        if data is None:
            change = Node("delete", {"jid": owner.jid})
        if by:
            change.attrs["author"] = by.jid
        for companion in self.linked(self.everyone()):
            await outgoing.notify(self, companion, "picture", owner.jid, [change])

    async def unlink(self, companion: Companion) -> None:
        """The owner removes the device on the phone."""
        companion.account.companions.pop(companion.number, None)
        companion.linked = False
        await outgoing.tell_devices(self, companion.account)
        conflict = Node("conflict", {"type": "device_removed"})
        await self._end(companion, Node("stream:error", {"code": 401}, [conflict]))

    async def replace(self, companion: Companion) -> None:
        """The same device logs in elsewhere."""
        await self._end(
            companion, Node("stream:error", None, [Node("conflict", {"type": "replaced"})])
        )

    async def restart_server(self, companion: Companion) -> None:
        """stream:error 503: the engine should come back by itself."""
        await self._end(companion, Node("stream:error", {"code": 503}))

    async def ban(self, account: Account, seconds: float) -> None:
        """For a time; its devices are thrown out and refused at login with 402."""
        account.banned_until_s = time.monotonic() + seconds
        for companion in self.linked([account]):
            self.drop_connection(companion)

    def drop_connection(self, companion: Companion) -> None:
        """Without a goodbye, as a network that goes away."""
        if line := self.lines.get(companion):
            self.cut(line.port)

    def cut(self, port: int) -> None:
        raise NotImplementedError

    async def _end(self, companion: Companion, error: Node) -> None:
        if line := self.lines.get(companion):
            await line.send(error)
            await anyio.sleep(_SETTLE_S)
            await line.close()


class Groups(World):
    """Groups, and what other members change in them."""

    def add_group(
        self, subject: str, owner: Peer, members: Iterable[Peer], *, lid_addressing: bool = True
    ) -> Group:
        """One that exists already: nobody is told. See `create_by_other` for a new one."""
        roles: dict[Peer, Role] = {owner: "superadmin"}
        roles.update((person, "") for person in members if person is not owner)
        group = Group(subject, owner, roles, lid_addressing=lid_addressing)
        self.groups[group.jid] = group
        return group

    async def create_by_other(self, subject: str, owner: Peer, members: Iterable[Peer]) -> Group:
        """A new one: the members' devices are told."""
        group = self.add_group(subject, owner, members)
        await groupqueries.tell_created(self, group, list(group.members), owner)
        return group

    async def add_by_other(self, group: Group, by: Peer, people: Sequence[Peer]) -> None:
        await groupqueries.apply(self, group, "add", people, by)

    async def remove_by_other(self, group: Group, by: Peer, people: Sequence[Peer]) -> None:
        await groupqueries.apply(self, group, "remove", people, by)

    async def promote_by_other(self, group: Group, by: Peer, people: Sequence[Peer]) -> None:
        await groupqueries.apply(self, group, "promote", people, by)

    async def demote_by_other(self, group: Group, by: Peer, people: Sequence[Peer]) -> None:
        await groupqueries.apply(self, group, "demote", people, by)

    async def rename_by_other(self, group: Group, by: Peer, subject: str) -> None:
        group.subject = subject
        await groupqueries.tell(self, group, by, groupqueries.subject_change(group, by))

    async def describe_by_other(self, group: Group, by: Peer, description: str) -> None:
        group.description, group.description_id = description, outgoing.new_id()
        await groupqueries.tell(self, group, by, groupqueries.description_change(group))

    async def switch_by_other(
        self, group: Group, by: Peer, switch: str, **attrs: str | int
    ) -> None:
        """announcement, not_announcement, locked, unlocked, ephemeral, not_ephemeral."""
        change = Node(switch, {"v_id": "1", **attrs})
        groupqueries.set_switch(group, change)
        await groupqueries.tell(self, group, by, change)
