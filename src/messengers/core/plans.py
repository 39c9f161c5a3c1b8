"""What is queued of a draft: one plan for each platform call."""

from collections.abc import Mapping, Sequence
from typing import Any

from messengers.core.drafts import PartPlan
from messengers.core.rich import buttons_of, rich_of
from messengers.core.templates import escaped
from messengers.models import Chat, Draft, MessageRef
from messengers.providers.base import GathersFiles, MediaBytes, Provider, ReadsDialect
from messengers.providers.capabilities import Level
from messengers.providers.chunks import measured

__all__ = ["payload_of"]


def payload_of(
    provider: Provider,
    chat: Chat,
    draft: Draft,
    files: Sequence[MediaBytes],
    reply_to: MessageRef | None,
    call: Mapping[str, str],
) -> dict[str, Any]:
    """What is queued: one part for each platform call. `call`: how to know the same call again."""
    rich = rich_of(draft)
    parts = _plan(provider, draft, files, reply_to, rich.plan if rich else None)
    if draft.silent and provider.capabilities().silent is Level.DROP:
        missed = (f"Not silent: {chat.provider} has no silent messages.",)
        parts[0] = parts[0].model_copy(update={"missed": missed})
    buttons = buttons_of(draft, provider.capabilities(), chat.provider)
    pressed = {"buttons": buttons, "keyboard": draft.keyboard}
    parts[-1] = parts[-1].model_copy(update=pressed if buttons else {})
    return {
        "chat": chat.id,
        "text": draft.text,
        "reply_to": draft.reply_to,
        "parts": [part.model_dump() for part in parts],
        **call,
        "time_to_live_s": draft.time_to_live_s,
    }


def _plan(
    provider: Provider,
    draft: Draft,
    files: Sequence[MediaBytes],
    reply_to: MessageRef | None,
    rich: PartPlan | None = None,
) -> list[PartPlan]:
    """One plan per platform call: a short text rides on the first file, a long one follows."""
    text = draft.text
    if draft.format == "plain":
        text = escaped(text)
    texts = list(provider.render(text)) if text.strip() else []
    limits = provider.capabilities()
    groups = _gathered(provider, files, alone=bool(draft.buttons))
    plans = [
        PartPlan(media=first.media, more=tuple(file.media for file in more))
        for first, *more in groups
    ] + ([rich] if rich else [])
    caption = limits.media[files[0].kind].max_caption if files else 0
    if plans and len(texts) == 1 and measured(texts[0], limits.text_unit) <= caption:
        plans[0] = plans[0].model_copy(update={"text": texts.pop(), "source": draft.text})
    sources = [draft.text] if len(texts) == 1 else _readable(provider, texts)
    plans += [PartPlan(text=t, source=s) for t, s in zip(texts, sources, strict=True)]
    first = plans[0].model_copy(update={"reply_to": reply_to})
    return [plan.model_copy(update={"silent": draft.silent}) for plan in (first, *plans[1:])]


def _gathered(
    provider: Provider, files: Sequence[MediaBytes], *, alone: bool
) -> Sequence[Sequence[MediaBytes]]:
    """The files of each message. Buttons stand under one file, as albums have none anywhere."""
    if isinstance(provider, GathersFiles) and not alone:
        return provider.gather(files)
    return [[file] for file in files]


def _readable(provider: Provider, texts: Sequence[str]) -> Sequence[str]:
    """Rendered texts as the transcript shows them."""
    if isinstance(provider, ReadsDialect):
        return [provider.plain(text) for text in texts]
    return texts
