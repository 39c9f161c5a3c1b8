"""Bulk sends: everyone resolved and every text filled in before anybody is asked or written to."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock
from messengers.core.access import READ_ONLY
from messengers.core.acts import Act, Shown
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import Chats, chat_key
from messengers.core.instances import Instances
from messengers.core.leaks import Leak, suspected
from messengers.core.opt_outs import OptOuts
from messengers.core.repeats import Repeats, fingerprint
from messengers.core.rounds import OPTED_OUT
from messengers.core.schedules import when_of
from messengers.core.sending import MAX_TEXT, Sending, check_text
from messengers.core.shown import recipient
from messengers.core.templates import Template, check_variables
from messengers.core.words import counted
from messengers.errors import Ambiguous, Forbidden, InvalidInput, MessengersError, NotFound
from messengers.models import Chat, Draft, IdKind, Instance, Model, encode_id
from messengers.store import Store, chats
from messengers.store.rows import Row

__all__ = ["MAX_DELAY_S", "Addressee", "Bulk", "Letter"]

MAX_DELAY_S = 3_600
_MAX_NAMED = 10
_LOOKUPS = 16
"""Recipients looked up at once."""
"""Recipients that an error names by their numbers."""
_DOUBLE = "named twice"
_NEVER = "the owner said never"
_NO_CALL = {"client_ref": "", "fingerprint": ""}
_LEAKS = "Some of it stands in other chats, and the owner did not choose all of these."
_WHY = "A bulk send reaches many at once."


class Addressee(Model):
    """One recipient as the caller names him."""

    chat: str
    """Chat id, phone number, handle, or a whole name that the owner's side gave."""
    name: str = ""
    """What `{name}` is; without one, the name the owner's side gave the chat."""
    text: str = ""
    """A text of his own, in place of the common one."""
    variables: Mapping[str, str] = {}


class Letter(Model):
    """What one recipient would get, or why nothing."""

    position: int
    chat: Chat
    text: str = ""
    """Markdown, filled in."""
    skipped: str = ""


class Bulk:
    """Prepares them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        instances: Instances,
        chats: Chats,
        sending: Sending,
        opt_outs: OptOuts,
        repeats: Repeats,
        max_recipients: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._instances = instances
        self._chats = chats
        self._sending = sending
        self._opt_outs = opt_outs
        self._repeats = repeats
        self._max = max_recipients

    async def prepare(
        self,
        caller: Caller,
        recipients: Sequence[Addressee],
        text: str = "",
        *,
        instance: str = "",
        attachments: Sequence[str] = (),
        on_failure: Literal["continue", "abort"] = "continue",
        delay_s: float = 0,
        send_at: datetime | timedelta | None = None,
        client_ref: str = "",
        dry_run: bool = False,
    ) -> Act:
        """Everything that would leave, in order, as one act; its `letters` show it.

        A call that was made before gives an act that only tells what became of it, unless it is a
        `dry_run`. Raises what is wrong with any of it; then nothing of it was sent.
        """
        self._check(recipients, delay_s)
        everyone = [each.model_dump(mode="json") for each in recipients]
        rest = (instance, [*attachments], on_failure, delay_s, str(send_at or ""))
        asked = fingerprint("bulk", everyone, text, *rest)
        known = None if dry_run else await self._repeats.find(caller.actor, client_ref, asked)
        if known is not None:
            return self._known(caller, known.row)
        templates = _templates(recipients, text)
        found = await self._found(caller, recipients, instance)
        chosen = self._one_instance(caller, found)
        letters = _letters(recipients, templates, found, await self._refused(found))
        acts: dict[int, Act] = {}
        for letter in letters:
            if not letter.skipped:
                draft = Draft(text=letter.text, attachments=tuple(attachments))
                acts[letter.position] = await self._one(caller, letter, draft)
        if not acts:
            raise InvalidInput("Nobody is left to write to.", "They opted out, or you said never.")
        doubles = [letter.position for letter in letters if letter.skipped == _DOUBLE]
        payload: dict[str, Any] = {
            "kind": "bulk",
            "instance": chosen.id,
            "letters": [{**act.payload, "position": number} for number, act in acts.items()],
            "skipped": [
                {"position": each.position, "chat": each.chat.id, "skipped": each.skipped}
                for each in letters
                if each.skipped and each.position not in doubles
            ],
            "doubles": doubles,
            "on_failure": on_failure,
            "delay_ms": int(delay_s * 1000),
            "client_ref": client_ref,
            "fingerprint": asked,
        }
        payload |= when_of(send_at, self._clock.now())
        files = next(iter(acts.values())).shown.attachments
        act = _act(caller, chosen, letters, payload, files)
        leaking = [each for each in acts.values() if each.shown.found]
        if not leaking:
            return act
        return suspected(act, Leak(_LEAKS, leaking[0].shown.found))

    def _known(self, caller: Caller, row: Row) -> Act:
        """The act of a call that was made before: nobody is looked up or asked again."""
        chosen = self._instances.by_id(row["instance_id"])
        batch = encode_id(IdKind.BATCH, row["id"])
        return Act(
            action="send_bulk",
            caller=caller,
            shown=Shown(title=f"Bulk send {batch}", recipient=chosen.name),
            payload={"known": batch, "client_ref": row["client_ref"], "doubles": []},
            instance_id=chosen.id,
            instance=chosen.name,
            provider=chosen.provider,
        )

    def _check(self, recipients: Sequence[Addressee], delay_s: float) -> None:
        if not recipients:
            raise InvalidInput("recipients is empty.", "Name at least one.")
        if len(recipients) > self._max:
            raise InvalidInput(f"More than {self._max} recipients.", "Send to fewer at once.")
        if not 0 <= delay_s <= MAX_DELAY_S:
            raise InvalidInput(f"delay_s must be from 0 to {MAX_DELAY_S}.")

    async def _found(
        self, caller: Caller, recipients: Sequence[Addressee], instance: str
    ) -> Sequence[Chat]:
        """The chat of each; all that cannot be found are named at once."""
        found: dict[int, Chat] = {}
        faults: dict[int, MessengersError] = {}
        turns = anyio.CapacityLimiter(_LOOKUPS)

        async def look(number: int, name: str) -> None:
            async with turns:
                try:
                    found[number] = await self._chats.find(caller, name, instance, write=True)
                except MessengersError as exc:
                    faults[number] = exc

        async with anyio.create_task_group() as tasks:
            for number, each in enumerate(recipients, 1):
                tasks.start_soon(look, number, each.chat)
        _raise(dict(sorted(faults.items())), named=bool(instance))
        return [found[number] for number in sorted(found)]

    def _one_instance(self, caller: Caller, found: Sequence[Chat]) -> Instance:
        names = {chat.instance for chat in found}
        if len(names) > 1:
            raise InvalidInput(
                f"The recipients are chats of {counted(len(names), 'instance')}.",
                "Send to those of each by itself.",
            )
        chosen = self._instances.resolve(caller, names.pop())
        if chosen.read_only:
            raise Forbidden(READ_ONLY, "Only the owner can change that.")
        return chosen

    async def _refused(self, found: Sequence[Chat]) -> Mapping[str, str]:
        """Why nothing leaves for some chats, by their ids."""
        keys = [chat_key(chat) for chat in found]
        stored = await self._store.rows(chats.many, chats=keys)

        def unit(conn: Connection) -> dict[str, str]:
            out = [row["id"] for row in stored if self._opt_outs.holds(conn, row)]
            return {encode_id(IdKind.CHAT, key): OPTED_OUT for key in out}

        never = {chat.id: _NEVER for chat in found if chat.decision == "never"}
        return never | await self._store.write(unit)

    async def _one(self, caller: Caller, letter: Letter, draft: Draft) -> Act:
        """What sending it by itself would be."""
        try:
            act = await self._sending.planned(caller, letter.chat.id, draft, "", _NO_CALL)
        except InvalidInput as exc:
            cause = f"Recipient {letter.position}: {exc.cause}"
            raise InvalidInput(cause, exc.remedy) from exc
        if act.action != "send":
            raise InvalidInput(
                "An address that you are asked about cannot be attached to a bulk send.",
                "Attach the file itself, or a message's.",
            )
        return act


def _act(
    caller: Caller,
    instance: Instance,
    letters: Sequence[Letter],
    payload: Mapping[str, Any],
    files: Sequence[str],
) -> Act:
    return Act(
        action="send_bulk",
        caller=caller,
        shown=Shown(
            title=f"Send {counted(len(payload['letters']), 'message')}, one to each",
            recipient=f"{instance.provider} “{instance.name}”",
            text=_listing(letters),
            attachments=tuple(files),
            why=_WHY,
        ),
        payload=payload,
        instance_id=instance.id,
        instance=instance.name,
        provider=instance.provider,
        needs_approval=caller.actor != OWNER.actor and instance.confirm != "never",
        why=_WHY,
    )


def _templates(recipients: Sequence[Addressee], text: str) -> Sequence[Template]:
    """The text of each, all of whose variables he has. Raises InvalidInput before any look-up."""
    check_text(text)
    common = Template.read(text)
    found: list[Template] = []
    for number, each in enumerate(recipients, 1):
        try:
            check_text(each.text)
            check_variables(each.variables)
            template = Template.read(each.text) if each.text else common
        except InvalidInput as exc:
            raise InvalidInput(f"Recipient {number}: {exc.cause}", exc.remedy) from exc
        lacking = template.variables - each.variables.keys() - {"name", "phone"}
        if lacking:
            raise _lacks(number, min(lacking))
        found.append(template)
    return found


def _letters(
    recipients: Sequence[Addressee],
    templates: Sequence[Template],
    found: Sequence[Chat],
    refused: Mapping[str, str],
) -> Sequence[Letter]:
    """Everyone in order; who is there already, by chat or number, gets nothing more."""
    letters: list[Letter] = []
    seen: set[str] = set()
    together = zip(recipients, templates, found, strict=True)
    for position, (asked, template, chat) in enumerate(together, 1):
        names = {chat.id, chat.phone} - {""}
        skipped = _DOUBLE if names & seen else refused.get(chat.id, "")
        seen |= names
        text = "" if skipped else _filled(position, template, asked, chat)
        letters.append(Letter(position=position, chat=chat, text=text, skipped=skipped))
    return letters


def _filled(number: int, template: Template, asked: Addressee, chat: Chat) -> str:
    """The text for one recipient."""
    owners_name = chat.name if chat.name_source == "owner" else ""
    values = {**asked.variables, "name": asked.name or owners_name, "phone": chat.phone}
    for name in sorted({"name", "phone"} & template.variables):
        if not values[name].strip():
            raise _lacks(number, name)
    try:
        return template.fill(values, MAX_TEXT)
    except InvalidInput as exc:
        raise InvalidInput(f"Recipient {number}: {exc.cause}", exc.remedy) from exc


def _lacks(number: int, name: str) -> InvalidInput:
    return InvalidInput(
        f"Recipient {number} has no {name}, which the text asks for.",
        "Give everyone what is in braces; {{ and }} are braces themselves.",
    )


def _listing(letters: Sequence[Letter]) -> str:
    """Who gets what, in order; those in a row who get the same stand above it together."""
    lines: list[str] = []
    going = [letter for letter in letters if not letter.skipped]
    for number, letter in enumerate(going):
        lines.append(f"{letter.position}. {' '.join(recipient(letter.chat).split())}")
        following = going[number + 1].text if number + 1 < len(going) else None
        if following != letter.text:
            lines += [f"    {line}" for line in letter.text.split("\n")]
    return "\n".join(lines)


def _raise(faults: Mapping[int, MessengersError], *, named: bool) -> None:
    """What could not be found, by the numbers of the recipients; `named`: with an instance."""
    missing: dict[int, MessengersError] = {}
    for number, fault in faults.items():
        if isinstance(fault, Ambiguous):
            cause = f"Recipient {number}: {fault.cause}"
            raise Ambiguous(cause, fault.remedy, candidates=fault.candidates) from fault
        if not isinstance(fault, (InvalidInput, NotFound)):
            raise fault
        missing[number] = fault
    if missing:
        first = next(iter(missing.values()))
        remedy = first.remedy
        if not named and isinstance(first, NotFound):
            remedy = f"{remedy} A phone number needs instance."
        raise type(first)(f"{_numbers(missing)}: {first.cause}", remedy)


def _numbers(faults: Mapping[int, object]) -> str:
    named = ", ".join(map(str, list(faults)[:_MAX_NAMED]))
    more = f" and {len(faults) - _MAX_NAMED} more" if len(faults) > _MAX_NAMED else ""
    return f"Recipient{'s' if len(faults) > 1 else ''} {named}{more}"
