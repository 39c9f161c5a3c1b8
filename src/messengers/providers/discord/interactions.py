"""Interactions: pressed buttons and the like, which wait for an answer within three seconds.

They come over the gateway, or signed to the instance's webhook where the owner entered its address
as the application's Interactions Endpoint URL.
https://docs.discord.com/developers/interactions/receiving-and-responding
"""

import json
from contextlib import suppress
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from messengers.errors import Unauthorized
from messengers.providers.discord.fields import Json
from messengers.providers.discord.wire import Refused, Unanswered, Wire
from messengers.providers.webhooks import WebhookRequest

__all__ = ["JSON", "PING", "PONG", "acknowledge", "answer_to", "verified"]

PING = 1
PONG = '{"type":1}'
JSON = "application/json"
_EPHEMERAL = 1 << 6
_WINDOW_S = 300
"""An older or later signature is a copy."""


def answer_to(interaction: Json) -> dict[str, Any]:
    """What ends the wait, and shows as little as there can be."""
    match interaction["type"]:
        case 4:
            return {"type": 8, "data": {"choices": []}}
        case 2:
            return {"type": 4, "data": {"content": "✓", "flags": _EPHEMERAL}}
        case _:
            return {"type": 6}


async def acknowledge(wire: Wire, interaction: Json) -> None:
    """Over the API. Too late or twice is no matter: the press itself is stored."""
    with suppress(Refused, Unanswered, KeyError):
        await wire.ask(
            "POST",
            "/interactions/{id}/{token}/callback",
            json=answer_to(interaction),
            id=str(interaction["id"]),
            token=str(interaction["token"]),
        )


def verified(request: WebhookRequest, public_key: str, now_s: float) -> dict[str, Any]:
    """What Discord delivered. Raises Unauthorized, or ValueError, for what it did not."""
    if not public_key:
        raise Unauthorized("The bot's key is not known before it was connected once.")
    signature = bytes.fromhex(request.headers.get("x-signature-ed25519", ""))
    stamp = request.headers.get("x-signature-timestamp", "")
    if not (stamp.isascii() and stamp.isdecimal() and abs(now_s - int(stamp)) <= _WINDOW_S):
        raise Unauthorized("The delivery is of another time.")
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    try:
        key.verify(signature, stamp.encode() + request.body)
    except InvalidSignature as exc:
        raise Unauthorized("The delivery is not signed by Discord.") from exc
    told: object = json.loads(request.body)
    if not isinstance(told, dict):
        raise Unauthorized("The delivery holds no interaction.")
    return cast("dict[str, Any]", told)
