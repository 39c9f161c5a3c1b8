"""Whom a caller means, as one account knows people: by id, number, handle or the owner's own name.

A name that a stranger chose for himself never chooses anybody, as for a recipient.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.identities import keys_of
from messengers.core.names import fold_phone
from messengers.errors import Ambiguous, InvalidInput, MessengersError, NotFound
from messengers.models import Chat, IdKind, Instance, decode_id
from messengers.providers.groups import GroupMember
from messengers.store import Store, contacts
from messengers.store.rows import Row, load_json

__all__ = ["People", "Person"]

_MAX_PEOPLE = 50
"""In one call: the owner reads all their names before he agrees."""


@dataclass(frozen=True, slots=True)
class Person:
    """One of them, as the messenger and the owner know him."""

    native_id: str
    label: str
    """Without a stranger's words: an id of ours, a number or the messenger's id."""
    shown: str
    """One line for the owner."""
    keys: frozenset[str]
    """What access rules know him by."""


class People:
    """Resolves them for one account."""

    def __init__(self, store: Store, chats: Chats) -> None:
        self._store = store
        self._chats = chats

    async def named(
        self,
        caller: Caller,
        instance: Instance,
        written: Sequence[str],
        present: Sequence[GroupMember] = (),
    ) -> Sequence[Person]:
        """Each of them once, in their order.

        `present` are the members of a group: their ids and numbers are understood too. Raises what
        is wrong with the first that nobody is meant by, and which one it is.
        """
        if len(written) > _MAX_PEOPLE:
            raise InvalidInput(f"More than {_MAX_PEOPLE} members at once.", "Do it in parts.")
        found: dict[str, Person] = {}
        for number, text in enumerate(written, 1):
            try:
                person = await self._one(caller, instance, text.strip(), present)
            except Ambiguous as exc:
                cause = f"Member {number}: {exc.cause}"
                raise Ambiguous(cause, exc.remedy, candidates=exc.candidates) from exc
            except (InvalidInput, NotFound) as exc:
                raise type(exc)(f"Member {number}: {exc.cause}", exc.remedy) from exc
            found.setdefault(person.native_id, person)
        return tuple(found.values())

    async def _one(
        self, caller: Caller, instance: Instance, text: str, present: Sequence[GroupMember]
    ) -> Person:
        contact = await self._contact(instance, text)
        if contact is not None:
            await self._only_an_id(caller, instance, text, contact)
            return _of_contact(contact, text)
        phone = fold_phone(text)
        for each in present:
            if text == each.native_id or (phone and phone == each.phone):
                return _of_member(each)
        chat = await self._chats.find(caller, text, instance.name, write=True)
        if chat.kind != "dm":
            raise InvalidInput("That chat is no person.", "Give people, not groups or channels.")
        # Where a group knows its members by other ids than their chats have, the number tells.
        same = [each for each in present if chat.phone and each.phone == chat.phone]
        return _of_chat(chat, same[0].native_id if same else chat.native_id)

    async def _contact(self, instance: Instance, text: str) -> Row | None:
        key = decode_id(IdKind.CONTACT, text)
        row = await self._store.row(contacts.get, contact=key) if key is not None else None
        return row if row is not None and row["instance_id"] == instance.id else None

    async def _only_an_id(
        self, caller: Caller, instance: Instance, text: str, contact: Row
    ) -> None:
        """Raises InvalidInput for what is the id of one person and the owner's name of another."""
        try:
            chat = await self._chats.find(caller, text, instance.name, write=True)
        except MessengersError:
            return  # no chat goes by it, so it is an id only
        if chat.native_id != contact["native_id"]:
            raise InvalidInput(
                "That is the id of one person and the name of another.", "Use a chat id or number."
            )


def _of_contact(row: Row, id_: str) -> Person:
    known = row["phone"] or row["native_id"]
    ids = (row["native_id"], *load_json(row["alt_ids"], ()))
    keys = keys_of(ids, row["phone"], row["username"])
    return Person(row["native_id"], id_, _line(row["display_name"], known, id_), keys)


def _of_member(member: GroupMember) -> Person:
    known = member.phone or member.native_id
    keys = keys_of((member.native_id,), member.phone)
    return Person(member.native_id, known, _line(member.display_name, known), keys)


def _of_chat(chat: Chat, native_id: str) -> Person:
    known = chat.phone or (f"@{chat.username}" if chat.username else chat.native_id)
    keys = keys_of((native_id, chat.native_id), chat.phone, chat.username)
    return Person(native_id, chat.id, _line(chat.name, known, chat.id), keys)


def _line(*parts: str) -> str:
    said = [" ".join(part.split()) for part in parts]
    return " · ".join(dict.fromkeys(part for part in said if part))
