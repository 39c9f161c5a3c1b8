"""Hooks by which tests make Telegram fail."""

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.faults import GATEWAY_PAGE, Answer, Fault
from tests.fakes.telegram.people import Json
from tests.fakes.telegram.world import World

__all__ = ["Trouble"]


class Trouble(World):
    """Each hook takes `method`, `bot` and `chat`: without them all are met. Faults queue up."""

    def fail_next(
        self,
        method: str = "",
        code: int = 400,
        description: str = "Bad Request: scripted",
        *,
        parameters: Json | None = None,
        bot: Bot | None = None,
        chat: Chat | None = None,
        times: int | None = 1,
    ) -> None:
        """The next requests are not carried out and get this error; None is for ever."""
        body: Json = {"ok": False, "error_code": code, "description": description}
        body |= {"parameters": parameters} if parameters else {}
        self.faults.add(Fault(method, bot, chat, times, Answer(code, body)))

    def flood(
        self,
        retry_after_s: int | None = 1,
        *,
        method: str = "",
        bot: Bot | None = None,
        chat: Chat | None = None,
        times: int | None = 1,
    ) -> None:
        """429; None tells no time, and any number may be absurd."""
        seconds = 1 if retry_after_s is None else retry_after_s
        text = f"Too Many Requests: retry after {seconds}"
        body: Json = {"ok": False, "error_code": 429, "description": text}
        headers: dict[str, str] = {}
        if retry_after_s is not None:
            body["parameters"] = {"retry_after": retry_after_s}
            headers["Retry-After"] = str(retry_after_s)
        self.faults.add(Fault(method, bot, chat, times, Answer(429, body, headers)))

    def break_down(
        self, method: str = "", status: int = 502, *, bot: Bot | None = None, times: int | None = 1
    ) -> None:
        """What stands before the server answers with a page of its own."""
        self.faults.add(Fault(method, bot, times=times, answer=Answer(status, GATEWAY_PAGE)))

    def slow(
        self, method: str, seconds: float, *, bot: Bot | None = None, times: int | None = 1
    ) -> None:
        self.faults.add(Fault(method, bot, times=times, delay_s=seconds))

    def accept_then_hang(self, method: str, *, bot: Bot | None = None) -> None:
        """The next one is carried out, and there is never an answer."""
        self.faults.add(Fault(method, bot, then="hang"))

    def cut(self, method: str, *, bot: Bot | None = None, carried_out: bool = True) -> None:
        """The connection of the next one breaks, after it was carried out or before."""
        then = "cut" if carried_out else "answer"
        self.faults.add(Fault(method, bot, unheard=not carried_out, then=then))

    def heal(self) -> None:
        """Nothing scripted is left."""
        self.faults.waiting.clear()

    def revoke(self, bot: Bot) -> None:
        """Its token is good for nothing: 401 from now on."""
        bot.revoked = True
        bot.end_poll()

    def inject(self, bot: Bot, raw: Json) -> int:
        """An update as it stands here, decodable or not; its `update_id` is the next one."""
        return bot.queue.add(raw)

    def skip_update_ids(self, bot: Bot, count: int = 1) -> None:
        """The next update's id leaves a gap; a negative count goes back."""
        bot.queue.next_id += count

    def repeat(self, bot: Bot, update_id: int) -> None:
        """An update is given out once more, confirmed or not."""
        bot.queue.again.append(bot.queue.history[update_id])
        bot.queue.wake()

    def publish(self, prefix: str, loopback: str) -> None:
        """A webhook address beginning with `prefix` leads to this place on the loopback."""
        self.addresses[prefix] = loopback
