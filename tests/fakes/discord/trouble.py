"""Hooks by which tests make the HTTP API fail."""

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.buckets import Buckets, Limit, too_many
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.faults import Answer, Fault
from tests.fakes.discord.refusal import REASONS
from tests.fakes.discord.world import World

__all__ = ["Trouble"]

_BAN_PAGE = "error code: 1015"
_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)
_TITLES = {
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
    520: "520 Origin Error",
    524: "524 Origin Time-out",
}


class Trouble(World):
    """Each hook takes an `operation` such as `create_message`, a `bot` and a `channel`.

    Without them all requests are met. Faults queue up: the first that meets is taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.buckets = Buckets()

    def fail_next(
        self,
        operation: str = "",
        code: int = 0,
        *,
        status: int = 0,
        message: str = "",
        bot: Bot | None = None,
        channel: Channel | None = None,
        times: int | None = 1,
    ) -> None:
        """The next requests are not carried out and get this error; None is for ever."""
        known = REASONS.get(code)
        status = status or (known.status if known else 400)
        message = message or (known.message if known else "Scripted")
        answer = Answer(status, {"message": message, "code": code})
        self.faults.add(Fault(operation, bot, channel, times, answer))

    def flood(
        self,
        retry_after_s: float | None = 1.0,
        *,
        operation: str = "",
        scope: str = "user",
        via: bool = True,
        bot: Bot | None = None,
        channel: Channel | None = None,
        times: int | None = 1,
    ) -> None:
        """429; None tells no time, any number may be absurd. `scope`: user, shared, global."""
        answer = too_many(retry_after_s, scope, via=via)
        self.faults.add(Fault(operation, bot, channel, times, answer))

    def ban_address(self, times: int | None = None) -> None:
        """What stands before Discord bans the address for too many invalid requests."""
        headers = {"Retry-After": "3600"}
        self.faults.add(Fault(times=times, answer=Answer(429, _BAN_PAGE, headers, via=False)))

    def limit(self, operation: str, requests: int, per_s: float) -> None:
        """A true limit of one operation: headers tell of it and 429 enforces it."""
        self.buckets.limits[operation] = Limit(requests, per_s)

    def break_down(
        self,
        operation: str = "",
        status: int = 502,
        *,
        bot: Bot | None = None,
        times: int | None = 1,
    ) -> None:
        """What stands before the server answers with a page of its own."""
        page = _PAGE.format(_TITLES.get(status, str(status)))
        self.faults.add(Fault(operation, bot, times=times, answer=Answer(status, page)))

    def slow(
        self, operation: str, seconds: float, *, bot: Bot | None = None, times: int | None = 1
    ) -> None:
        self.faults.add(Fault(operation, bot, times=times, delay_s=seconds))

    def accept_then_hang(self, operation: str, *, bot: Bot | None = None) -> None:
        """The next one is carried out, and there is never an answer."""
        self.faults.add(Fault(operation, bot, then="hang"))

    def cut(self, operation: str, *, bot: Bot | None = None, carried_out: bool = True) -> None:
        """The connection of the next one breaks, after it was carried out or before."""
        then = "cut" if carried_out else "answer"
        self.faults.add(Fault(operation, bot, unheard=not carried_out, then=then))

    def heal(self) -> None:
        """Nothing scripted is left."""
        self.faults.waiting.clear()
