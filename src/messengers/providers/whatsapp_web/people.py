"""Who is who: numbers, hidden ids (LIDs) and names. Part of the worker: it imports the engine.

WhatsApp names people by their number (`371…@s.whatsapp.net`) or by a LID (`…@lid`), whichever it
likes at the moment. Here a person is his number where it is known; a LID never passes for one.
"""
# The engine has no types:
# pyright: standard, reportTypedDictNotRequiredAccess=false, reportAttributeAccessIssue=false

import time

from neonize.client import NewClient
from neonize.proto.Neonize_pb2 import JID

from messengers.providers.whatsapp_web.protocol import Person

__all__ = ["People", "bare", "jid_of"]

_NUMBER, _HIDDEN = "s.whatsapp.net", "lid"
_UNKNOWN_S = 60.0
"""For how long nobody asks again for a number that the engine does not know."""


def bare(jid: JID) -> str:
    """An id without its device, '' for none."""
    if not jid.User:
        return ""
    server = {"hosted": _NUMBER, "hosted.lid": _HIDDEN, "c.us": _NUMBER}.get(jid.Server, jid.Server)
    return f"{jid.User}@{server}"


def jid_of(text: str) -> JID:
    """The engine's form of an id as it is written; an empty one for what is none."""
    user, _, server = text.partition("@")
    user = user.partition(":")[0]
    return JID(
        User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not (user and server)
    )


class People:
    """Everybody that the engine's store knows."""

    def __init__(self, client: NewClient) -> None:
        self._client = client
        self._other: dict[str, str] = {}
        """Number → LID and LID → number."""
        self._asked_s: dict[str, float] = {}
        self._names: dict[str, tuple[str, str]] = {}
        """Id → name and who gave it."""
        self.mine: set[str] = set()
        """The account's own ids."""
        self._hiding: set[str] = set()
        """Groups that name their members by LID."""

    def learn(self, number: str, hidden: str) -> None:
        """A number and a LID are the same person."""
        if number.endswith(_NUMBER) and hidden.endswith(_HIDDEN):
            self._other |= {number: hidden, hidden: number}

    def person(self, jid: JID, alt: JID | None = None, push_name: str = "") -> Person:
        """Somebody by whatever ids and name came with an event."""
        return self.known(bare(jid), bare(alt) if alt is not None else "", push_name)

    def known(self, native_id: str, alt_id: str = "", push_name: str = "") -> Person:
        """Somebody by his ids as text."""
        number = next((each for each in (native_id, alt_id) if each.endswith(_NUMBER)), "")
        hidden = next((each for each in (native_id, alt_id) if each.endswith(_HIDDEN)), "")
        self.learn(number, hidden)
        number = number or self._ask(hidden)
        hidden = hidden or self._ask(number)
        found = Person(id=number or hidden or native_id)
        if number and hidden:
            found["alt"] = [hidden]
        if number:
            found["phone"] = "+" + number.partition("@")[0]
        name, by = self._name(number, hidden, push_name)
        if name:
            found["name"], found["by"] = name, by
        return found

    def shown(self, native_id: str) -> str:
        """The name under which a mention of somebody is shown."""
        found = self.known(native_id)
        return found.get("name") or found.get("phone") or "someone"

    def is_me(self, native_id: str) -> bool:
        """Whether an id is one of the account's own."""
        return native_id in self.mine

    def met(self, group: str, member: JID) -> None:
        """A group names a member so, and then all of them."""
        if member.Server == _HIDDEN:
            self._hiding.add(group)

    def in_chat(self, chat: str, native_id: str) -> str:
        """The id that somebody has for the others in a chat."""
        return (chat in self._hiding and self._ask(native_id)) or native_id

    def _name(self, number: str, hidden: str, push_name: str) -> tuple[str, str]:
        names = [self._names[each] for each in (number, hidden) if each in self._names]
        given = next((name for name in names if name[1] == "owner"), None)
        if given:
            return given
        if push_name and push_name != "-":
            for each in filter(None, (number, hidden)):
                self._names[each] = push_name, "stranger"
            return push_name, "stranger"
        return names[0] if names else ("", "")

    def _ask(self, native_id: str) -> str:
        """The other id of somebody, of the engine's own table; '' when it has none."""
        if not native_id or native_id in self._other:
            return self._other.get(native_id, "")
        now = time.monotonic()
        if now - self._asked_s.get(native_id, -_UNKNOWN_S) < _UNKNOWN_S:
            return ""
        self._asked_s[native_id] = now
        ask = self._client.get_lid_from_pn
        if native_id.endswith(_HIDDEN):
            ask = self._client.get_pn_from_lid
        try:
            other = bare(ask(jid_of(native_id)))
        except Exception:  # noqa: BLE001 - the engine raises for "not known" too
            return ""
        if other:
            self._other |= {native_id: other, other: native_id}
        return other

    def load(self) -> list[Person]:
        """Read the engine's address book; returns whoever has another name than before."""
        changed: list[Person] = []
        for contact in self._client.contact.get_all_contacts():
            info = contact.Info
            saved = info.FullName or info.FirstName
            name = saved or info.BusinessName or info.PushName
            by = "owner" if saved else "platform" if info.BusinessName else "stranger"
            native_id = bare(contact.JID)
            if name and self._names.get(native_id) != (name, by):
                self._names[native_id] = name, by
                changed.append(self.known(native_id))
        return changed
