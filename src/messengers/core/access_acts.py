"""Access rules and standing answers as acts: what an agent asks for and the owner agrees to.

Only one that keeps somebody out more than before is done without asking.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from messengers.core.access_views import AccessRule
from messengers.core.acts import Act, InstanceAnswer, Shown
from messengers.core.approvals import Approvals
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import Chats
from messengers.core.instances import Instances
from messengers.core.rulebook import NewRule, Rulebook
from messengers.core.rules import Rule
from messengers.core.shown import recipient
from messengers.errors import NotFound
from messengers.models import IdKind, decode_id

__all__ = ["AccessActs"]

_WIDENS = "It may let somebody in, or have messages sent, whom a rule or a decision kept back."


class AccessActs:
    """Prepares them and does them."""

    def __init__(
        self, rulebook: Rulebook, chats: Chats, instances: Instances, approvals: Approvals
    ) -> None:
        self._rulebook = rulebook
        self._chats = chats
        self._instances = instances
        approvals.executors["set_access_rule"] = self._set
        approvals.executors["remove_access_rule"] = self._remove
        approvals.executors["revoke_decision"] = self._revoke

    async def prepare_set(self, caller: Caller, new: NewRule, days: float = 0) -> Act:
        """A new rule, for some days or for good (0). Raises what is wrong with it."""
        rule = await self._rulebook.read(caller, new)
        payload = {"rule": asdict(rule), "days": days, "by": caller.actor}
        asks = rule.effect != "deny"
        shown = rule.shown(self._instances.name_of(rule.instance_id))
        return _act(caller, "set_access_rule", "Make an access rule", shown, payload, asks, days)

    async def prepare_remove(self, caller: Caller, ref: str) -> Act:
        """No rule of this id any more, or no standing answer for a chat of this id."""
        if decode_id(IdKind.CHAT, ref.strip()) is None:
            rule = self._rulebook.get(caller, ref)
            payload = {"rule": rule.id, "by": caller.actor}
            title = f"Take the access rule {rule.id} away"
            return _act(caller, "remove_access_rule", title, rule, payload, asks=True)
        (chat,) = [c for c in await self._chats.decided(caller) if c.id == ref.strip()] or (None,)
        if chat is None:
            raise NotFound("That chat has no standing answer.", "list_access_rules shows them.")
        return Act(
            action="revoke_decision",
            caller=caller,
            shown=Shown(
                title=f"Take your “{chat.decision}” for a chat back",
                recipient=recipient(chat),
                why=_WIDENS,
            ),
            payload={"chat": chat.id},
            instance=chat.instance,
            provider=chat.provider,
            needs_approval=True,
            why=_WIDENS,
        )

    async def _set(
        self, payload: Mapping[str, Any], _caller: Caller, _wait_s: float
    ) -> InstanceAnswer:
        rule = Rule(**payload["rule"])
        made = await self._rulebook.add(OWNER, rule, payload["days"], payload["by"])
        return _done(made.instance, f"{made.id} holds: {made.effect}, {made.direction}.")

    async def _remove(
        self, payload: Mapping[str, Any], _caller: Caller, _wait_s: float
    ) -> InstanceAnswer:
        gone = await self._rulebook.remove(OWNER, payload["rule"], payload["by"])
        return _done(gone.instance, f"{gone.id} is gone.")

    async def _revoke(
        self, payload: Mapping[str, Any], _caller: Caller, _wait_s: float
    ) -> InstanceAnswer:
        chat = await self._chats.get(OWNER, payload["chat"])
        await self._chats.decide(OWNER, chat, None)
        return _done(chat.instance, f"{chat.id} is asked about by policy again.")


def _act(
    caller: Caller,
    action: str,
    title: str,
    rule: AccessRule,
    payload: Mapping[str, Any],
    asks: bool,
    days: float = 0,
) -> Act:
    lines = (
        f"Effect: {rule.effect}",
        f"Who: {rule.who}" + ("" if rule.kind == "any" else f" ({rule.kind.replace('_', ' ')})"),
        f"Direction: {rule.direction}",
        f"Instance: {rule.instance or 'all'}",
        f"Priority: {rule.priority}" if rule.priority else "",
        f"Days: {days:g}" if days else "",
        f"Note: {rule.note}" if rule.note else "",
    )
    shown = Shown(title=title, text="\n".join(filter(None, lines)), why=_WIDENS if asks else "")
    return Act(
        action=action,
        caller=caller,
        shown=shown,
        payload=payload,
        instance=rule.instance,
        needs_approval=asks,
        why=shown.why,
    )


def _done(instance: str, note: str) -> InstanceAnswer:
    return InstanceAnswer(instance=instance, provider="", notes=(note,))
