"""Every error the product raises on purpose, one tree, so that each edge translates once.

MessengersError              internal            500
├─ CallerFault               bad_request         400   the caller can repair it
│  ├─ InvalidInput           invalid_input       422
│  ├─ Unauthorized           unauthorized        401
│  ├─ Forbidden              forbidden           403
│  ├─ NotFound               not_found           404
│  ├─ Ambiguous              ambiguous           409   carries the candidates
│  ├─ Conflict               conflict            409
│  └─ Unsupported            unsupported         422
├─ NotReady                  not_ready           503   later, or after a step of the owner
│  ├─ NotConnected           not_connected       503
│  ├─ AlreadyRunning         already_running     503
│  └─ StorageUnavailable     storage_unavailable 507
├─ PlatformRefused           platform_refused    502   the messenger said no; certain
│  ├─ BadCredentials         bad_credentials     502
│  └─ RateLimited            rate_limited        429
└─ Unreachable               unreachable         504   the messenger could not be reached; certain
   └─ Uncertain              uncertain           504   bytes left, no answer came
"""

from collections.abc import Sequence

__all__ = [
    "AlreadyRunning",
    "Ambiguous",
    "BadCredentials",
    "CallerFault",
    "Conflict",
    "Forbidden",
    "InvalidInput",
    "MessengersError",
    "NotConnected",
    "NotFound",
    "NotReady",
    "PlatformRefused",
    "RateLimited",
    "StorageUnavailable",
    "Unauthorized",
    "Uncertain",
    "Unreachable",
    "Unsupported",
]


class MessengersError(Exception):
    """One sentence of cause and one of remedy; neither repeats a value somebody else wrote.

    `code` is stable and is what programs compare; the sentences are for people and models.
    """

    code = "internal"
    http_status = 500

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(f"{cause} {remedy}".strip())
        self.cause = cause
        self.remedy = remedy


class CallerFault(MessengersError):
    """The request itself is wrong."""

    code = "bad_request"
    http_status = 400


class InvalidInput(CallerFault):
    """A value does not fit: its name and the form it takes are in the sentence, never the value."""

    code = "invalid_input"
    http_status = 422


class Unauthorized(CallerFault):
    """No key, or none that holds. Says the same for unknown, wrong, expired and revoked keys."""

    code = "unauthorized"
    http_status = 401


class Forbidden(CallerFault):
    """The key holds, but not for this."""

    code = "forbidden"
    http_status = 403


class NotFound(CallerFault):
    """No such thing, or none that this caller may know of: the two read the same."""

    code = "not_found"
    http_status = 404


class Ambiguous(CallerFault):
    """A name fits several chats. `candidates` are chat ids, best first."""

    code = "ambiguous"
    http_status = 409

    def __init__(self, cause: str, remedy: str = "", *, candidates: Sequence[str] = ()) -> None:
        super().__init__(cause, remedy)
        self.candidates = tuple(candidates)


class Conflict(CallerFault):
    """The request contradicts what is stored: a name is taken, a decision was already made."""

    code = "conflict"
    http_status = 409


class Unsupported(CallerFault):
    """The messenger cannot do this; the remedy names what works instead."""

    code = "unsupported"
    http_status = 422


class NotReady(MessengersError):
    """Right request, wrong moment."""

    code = "not_ready"
    http_status = 503


class NotConnected(NotReady):
    """The instance does not run or waits for its owner."""

    code = "not_connected"
    http_status = 503


class AlreadyRunning(NotReady):
    """Another process holds the data directory, or a needed port or socket is taken."""

    code = "already_running"
    http_status = 503


class StorageUnavailable(NotReady):
    """The data directory or database cannot be used: full, read-only, newer, or a wrong key."""

    code = "storage_unavailable"
    http_status = 507


class PlatformRefused(MessengersError):
    """The messenger refused. It is certain that nothing happened."""

    code = "platform_refused"
    http_status = 502


class BadCredentials(PlatformRefused):
    """The messenger does not accept the credentials. Terminal: the supervisor does not retry."""

    code = "bad_credentials"
    http_status = 502


class RateLimited(PlatformRefused):
    """Too fast. Nothing happened; repeat after `retry_after_s` seconds.

    `whole`: not only for this chat, but whatever the instance does.
    """

    code = "rate_limited"
    http_status = 429

    def __init__(
        self, cause: str, remedy: str = "", *, retry_after_s: float, whole: bool = False
    ) -> None:
        super().__init__(cause, remedy)
        self.retry_after_s = retry_after_s
        self.whole = whole


class Unreachable(MessengersError):
    """No connection, so nothing happened."""

    code = "unreachable"
    http_status = 504


class Uncertain(Unreachable):
    """The request left and no answer came: it may have happened. Never repeated blindly.

    `native_id` is the message's id at the platform, where it was chosen before the request left.
    """

    code = "uncertain"
    http_status = 504
    native_id: str = ""
