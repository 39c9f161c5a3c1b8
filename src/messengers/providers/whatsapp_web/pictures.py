"""The pictures of people and groups, which lie in the open on a server of the messenger's."""

import ssl

import httpx

from messengers.providers.whatsapp_web.protocol import Refusal

__all__ = ["fetched"]

_HOST = "pps.whatsapp.net"
"""Where whatsmeow's `GetProfilePictureInfo` points to."""
_TIMEOUT_S = 15.0


def fetched(url: str, proxy: str, max_bytes: int) -> bytes:
    """The bytes behind a picture's address, by the way that the account takes.

    Raises Refusal: it leads elsewhere, is not given or too large, or the proxy cannot be used.
    """
    where = httpx.URL(url)
    if where.scheme != "https" or where.host != _HOST:
        raise Refusal("the picture lies where WhatsApp keeps none")
    data = bytearray()
    try:
        with (
            httpx.Client(
                proxy=proxy or None,
                trust_env=False,
                verify=ssl.create_default_context(),
                timeout=_TIMEOUT_S,
            ) as client,
            client.stream("GET", where) as answer,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > max_bytes:
                    raise Refusal("the picture is larger than it may be")
    except (httpx.HTTPError, ImportError) as exc:
        raise Refusal(f"the picture cannot be fetched ({type(exc).__name__})") from exc
    return bytes(data)
