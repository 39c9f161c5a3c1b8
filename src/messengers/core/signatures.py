"""How a receiver knows that a delivery is ours: Standard Webhooks, version v1.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from messengers.redaction import register_secret

__all__ = ["new_secret", "signed"]

_SECRET_BYTES = 32


def new_secret() -> str:
    """A signing secret, masked in everything that is shown from now on."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    register_secret(secret)
    return secret


def signed(keys: Sequence[str], message_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers of a delivery, with a signature by each secret: one of them is the receiver's."""
    # Here, because it is loaded for the first endpoint, and most daemons have none.
    from standardwebhooks import Webhook

    text = body.decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, at, text) for key in keys),
    }
