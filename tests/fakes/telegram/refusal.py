"""An error the Bot API answers to a request."""

from typing import Any

__all__ = ["Refused"]

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
}


class Refused(Exception):
    """`text` is what follows the code's own words: `Refused(400, "chat not found")`."""

    def __init__(
        self, code: int, text: str = "", *, parameters: dict[str, int] | None = None
    ) -> None:
        reason = _REASONS.get(code, "")
        self.code = code
        self.description = ": ".join(filter(None, (reason, text)))
        self.parameters = parameters
        super().__init__(f"{code} {self.description}")

    @property
    def body(self) -> dict[str, Any]:
        body = {"ok": False, "error_code": self.code, "description": self.description}
        return {**body, **({"parameters": self.parameters} if self.parameters else {})}
