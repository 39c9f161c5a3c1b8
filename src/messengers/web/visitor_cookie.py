"""The cookie that makes a browser a visitor."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

__all__ = ["cookie_of", "set_cookie"]

_NAME = "visitor"
_YEAR_S = 365 * 24 * 3600


def cookie_of(connection: HTTPConnection) -> str:
    """Its value; empty without one."""
    return connection.cookies.get(_NAME, "")


def set_cookie(response: Response, value: str, page: str, *, is_https: bool) -> None:
    """Give or prolong it, for this page alone and out of reach of scripts.

    Lax and not Strict: somebody who follows a link to the page must find his conversation again.
    What changes anything is a POST or a WebSocket, and those check the origin too.
    """
    response.set_cookie(
        _NAME,
        value,
        max_age=_YEAR_S,
        path=f"/chat/{page}",
        httponly=True,
        samesite="lax",
        secure=is_https,
    )
