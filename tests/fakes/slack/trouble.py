"""Hooks by which tests make Slack fail."""

from typing import Literal

from tests.fakes.slack.apps import App, Bot
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.events import envelope_of
from tests.fakes.slack.faults import GATEWAY_PAGE, Answer, Fault
from tests.fakes.slack.interaction import Interaction
from tests.fakes.slack.limits import TIERS, Limit
from tests.fakes.slack.people import Json
from tests.fakes.slack.sockets import disconnect_frame
from tests.fakes.slack.tokens import Token
from tests.fakes.slack.webhooks import challenged, signed

__all__ = ["Trouble"]

Revocation = Literal["token_revoked", "account_inactive", "invalid_auth", "token_expired"]


class Trouble(Interaction):
    """Hooks with `method`, `token` and `channel` meet all without them. Faults queue up."""

    def fail_next(
        self,
        method: str = "",
        error: str = "internal_error",
        *,
        token: Token | None = None,
        channel: Channel | None = None,
        times: int | None = 1,
    ) -> None:
        """The next requests are not carried out and get this error; None is for ever."""
        answer = Answer(200, {"ok": False, "error": error})
        self.faults.add(Fault(method, token, channel, times, answer))

    def flood(
        self,
        retry_after: int | str | None = 1,
        *,
        method: str = "",
        token: Token | None = None,
        channel: Channel | None = None,
        times: int | None = 1,
    ) -> None:
        """429; None tells no time, and anything may stand in Retry-After."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        answer = Answer(429, {"ok": False, "error": "ratelimited"}, headers)
        self.faults.add(Fault(method, token, channel, times, answer))

    def break_down(self, method: str = "", status: int = 503, *, times: int | None = 1) -> None:
        """What stands before Slack answers with a page of its own."""
        self.faults.add(Fault(method, times=times, answer=Answer(status, GATEWAY_PAGE)))

    def accept_then_break(self, method: str, *, token: Token | None = None) -> None:
        """The next one is carried out, and a gateway's page is the answer."""
        self.faults.add(Fault(method, token, then="break"))

    def slow(self, method: str, seconds: float, *, times: int | None = 1) -> None:
        self.faults.add(Fault(method, times=times, delay_s=seconds))

    def accept_then_hang(self, method: str, *, token: Token | None = None) -> None:
        """The next one is carried out, and there is never an answer."""
        self.faults.add(Fault(method, token, then="hang"))

    def cut(self, method: str, *, token: Token | None = None, carried_out: bool = True) -> None:
        """The connection of the next one breaks, after it was carried out or before."""
        then = "cut" if carried_out else "answer"
        self.faults.add(Fault(method, token, unheard=not carried_out, then=then))

    def limit(
        self, method: str, count: int, window_s: float = 60, *, per_channel: bool = False
    ) -> None:
        """More calls than this get 429 and how long to wait; per app and workspace."""
        self.limits.rules.append(Limit(method, count, window_s, per_channel))

    def enforce_tiers(self) -> None:
        """Each method as Slack's pages say, and one message a second in a conversation."""
        self.limits.rules += [Limit(name, count, 60) for name, count in TIERS.items()]
        self.limit("chat.postMessage", 1, 1, per_channel=True)

    def heal(self) -> None:
        """Nothing scripted is left."""
        self.faults.waiting.clear()
        self.limits.rules.clear()

    def revoke(self, token: Token | Bot, error: Revocation = "token_revoked") -> None:
        """Good for nothing from now on; its app hears of nothing through it."""
        (token.token if isinstance(token, Bot) else token).refusal = error

    def uninstall(self, bot: Bot) -> None:
        """From its workspace: the app is told, and its token is good for nothing."""
        ts = self.next_ts()
        tokens = {"type": "tokens_revoked", "tokens": {"bot": [bot.user.id]}, "event_ts": ts}
        self.tell(bot.workspace, "tokens_revoked", tokens, to=bot)
        gone = {"type": "app_uninstalled", "event_ts": self.next_ts()}
        self.tell(bot.workspace, "app_uninstalled", gone, to=bot)
        self.revoke(bot, "account_inactive")

    async def set_request_url(self, app: App, url: str) -> bool:
        """Events go there from now on, if it answers the challenge; Socket Mode is off."""
        if not await challenged(self, app, url):
            return False
        app.request_url = url
        return True

    def sign(self, app: App, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        """The headers Slack would send with this body."""
        return signed(app, body, self.now() if timestamp is None else timestamp)

    def disconnect(self, app: App | Bot, reason: str = "warning", *, close: bool = False) -> None:
        """Each connection is told to leave: warning, refresh_requested, link_disabled.

        With `close` the server closes it right after.
        """
        for connection in list(self.line(app).connections):
            connection.send(disconnect_frame(reason))
            connection.retiring = True
            if close:
                connection.close()

    def close_sockets(self, app: App | Bot) -> None:
        """The server closes each connection without a word."""
        for connection in list(self.line(app).connections):
            connection.close()

    def send_raw(self, app: App | Bot, frame: str | Json) -> None:
        """Anything at all, to each connection."""
        for connection in self.line(app).connections:
            connection.send(frame)

    def inject(self, bot: Bot, event: Json) -> Delivery:
        """An event as it stands here, known or not, in a true wrapper."""
        payload = envelope_of(self, bot.app, bot.workspace, event, bot.token)
        return self.line(bot).put(Delivery("events_api", payload))

    def repeat(self, app: App | Bot, delivery: Delivery) -> Delivery:
        """The same event once more: the same event_id, another envelope."""
        return self.line(app).put(Delivery("events_api", delivery.payload))

    def hold(self, app: App | Bot) -> None:
        """What happens from now on waits for `release`."""
        self.line(app).held = []

    def release(self, app: App | Bot, *order: int) -> None:
        """All that waits, in this order of its places; as it came without one."""
        line = self.line(app)
        held, line.held = line.held or [], None
        for place in order or range(len(held)):
            line.start(held[place])

    def skip_events(self, app: App | Bot, count: int = 1) -> None:
        """The next ones are lost."""
        self.line(app).skipped = count

    def ignore_acks(self, app: App | Bot, *, deaf: bool = True) -> None:
        """Acknowledgements do not arrive: events come again."""
        self.line(app).deaf = deaf
