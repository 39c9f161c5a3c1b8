"""Hooks by which people press buttons, choose, fill in forms and vote."""

import json
import secrets
import ssl
from typing import cast

import httpx2

from tests.fakes.discord.accounts import Accounts
from tests.fakes.discord.ballots import end_poll, tell_vote
from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.components import find_component
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.polls import Poll
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.replies import PONG, answered
from tests.fakes.discord.requests import Call

__all__ = ["Responses"]

_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_PRESS, _SUBMIT, _PING = 3, 5, 1
_PATIENCE_S = 10
_DAY_S = 86400


class Responses(Accounts):
    def press(self, user: User, message: Message, custom_id: str) -> Interaction:
        """A button under a bot's message."""
        return self._use(user, message, custom_id, None)

    def choose(self, user: User, message: Message, custom_id: str, *values: str) -> Interaction:
        """In a select under a bot's message."""
        return self._use(user, message, custom_id, list(values))

    def _use(
        self, user: User, message: Message, custom_id: str, values: list[str] | None
    ) -> Interaction:
        used = find_component(message.components, custom_id)
        data: Json = {
            "custom_id": custom_id,
            "component_type": used["type"],
            "id": used["id"],
            **({"values": values} if values is not None else {}),
        }
        return self._begin(_PRESS, user, message, data)

    def submit(self, interaction: Interaction, **fields: str) -> Interaction:
        """The form that the bot has answered with; fields by their custom ids."""
        assert interaction.form
        assert interaction.message
        rows = [
            {
                "type": 1,
                "id": number,
                "components": [{"type": 4, "id": number + 100, "custom_id": id, "value": value}],
            }
            for number, (id, value) in enumerate(fields.items(), 1)
        ]
        data: Json = {"custom_id": interaction.form["custom_id"], "components": rows}
        return self._begin(_SUBMIT, interaction.user, interaction.message, data)

    def _begin(self, kind: int, user: User, message: Message, data: Json) -> Interaction:
        bot = message.author
        assert isinstance(bot, Bot)
        made = Interaction(
            self.clock.new_id(),
            secrets.token_urlsafe(40),
            kind,
            bot,
            user,
            message.channel,
            data,
            self.now(),
            message,
        )
        self.interactions[made.token] = made
        payload = self.described_interaction(made)
        if bot.interactions_url:
            self.tasks.start_soon(self._hand_over, made, payload)
        else:
            only = [bot]
            self.emit("INTERACTION_CREATE", message.channel, payload, only=only)
        return made

    def described_interaction(self, made: Interaction) -> Json:
        bot, channel, guild = made.bot, made.channel, made.channel.guild
        found: Json = {
            "id": str(made.id),
            "application_id": str(bot.id),
            "type": made.kind,
            "token": made.token,
            "version": 1,
            "channel_id": str(channel.id),
            "channel": channel.json(bot),
            "data": made.data,
            "locale": "en-US",
            "entitlements": [],
            "app_permissions": str(int(self.may(bot, channel))),
            "context": 0 if guild else 1,
            "attachment_size_limit": guild.file_max_bytes if guild else 10 << 20,
            "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
        }
        if made.message:
            found["message"] = self.shown(made.message, bot)
        if guild is None:
            return {**found, "user": made.user.json()}
        member = guild.members[made.user.id].json()
        member["permissions"] = str(int(self.may(made.user, channel)))
        about: Json = {"id": str(guild.id), "locale": "en-US", "features": []}
        return {
            **found,
            "guild_id": str(guild.id),
            "guild": about,
            "guild_locale": "en-US",
            "member": member,
        }

    async def _hand_over(self, made: Interaction, payload: Json) -> None:
        """What fails is what the person sees as "did not respond"."""
        try:
            answer = await self.deliver(made.bot, payload)
            made.status = answer.status_code
            if made.status == 200:
                answered(self, _answer(made, cast("Json", answer.json())), made)
        except (httpx2.HTTPError, ValueError, Refused) as error:
            made.error = str(error)

    async def deliver(
        self,
        bot: Bot,
        payload: Json | bytes,
        *,
        headers: dict[str, str] | None = None,
        signed: bytes | None = None,
        age_s: float = 0,
    ) -> httpx2.Response:
        """To the bot's `interactions_url`, signed by its application's key.

        `signed` is what the signature is made over instead of the body; `headers` replace ours.
        """
        assert bot.interactions_url
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        stamp = str(int(self.now() - age_s))
        signature = bot.key.sign(stamp.encode() + (body if signed is None else signed)).hex()
        sent = {
            "Content-Type": "application/json",
            "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
            "X-Signature-Ed25519": signature,
            "X-Signature-Timestamp": stamp,
            **(headers or {}),
        }
        # Reading the certificates of the world takes longer than the delivery.
        async with httpx2.AsyncClient(
            trust_env=False, timeout=_PATIENCE_S, verify=_NO_CERTIFICATES
        ) as client:
            return await client.post(bot.interactions_url, content=body, headers=sent)

    async def register_url(self, bot: Bot, url: str | None) -> bool:
        """As the developer portal does it: a PING must be answered, a forged one refused."""
        bot.interactions_url = url
        if url is None:
            return True
        ping = self.ping(bot)
        good = await self.deliver(bot, ping)
        forged = await self.deliver(bot, ping, signed=b"something else")
        is_good = good.status_code == 200 and good.json() == {"type": PONG}
        if not (is_good and forged.status_code == 401):
            bot.interactions_url = None
        return bot.interactions_url is not None

    def ping(self, bot: Bot) -> Json:
        return {
            "id": str(self.clock.new_id()),
            "application_id": str(bot.id),
            "type": _PING,
            "token": secrets.token_urlsafe(40),
            "version": 1,
            "user": bot.owner.json(),
            "entitlements": [],
        }

    def ask(
        self, user: User, channel: Channel, question: str, *answers: str, multiple: bool = False
    ) -> Message:
        """A poll of a day."""
        poll = Poll(question, list(answers), self.now() + _DAY_S, multiple=multiple)
        message = self.post(channel, user, poll=poll)
        self.announce(message)
        return message

    def vote(self, user: User, message: Message, *answer_ids: int) -> None:
        """For these besides those before, or instead of the one before."""
        poll = message.poll
        assert poll
        if not poll.multiple:
            self.unvote(user, message)
        for id in answer_ids:
            poll.voters(id).append(user)
            tell_vote(self, "MESSAGE_POLL_VOTE_ADD", message, user, id)

    def unvote(self, user: User, message: Message) -> None:
        """All votes of the user."""
        assert message.poll
        for id, voters in message.poll.votes.items():
            if user in voters:
                voters.remove(user)
                tell_vote(self, "MESSAGE_POLL_VOTE_REMOVE", message, user, id)

    def end_poll(self, message: Message) -> Message:
        """Its time is over. Returns the message in which Discord tells the result."""
        return end_poll(self, message)


def _answer(made: Interaction, body: Json) -> Call:
    return Call("create_interaction_response", made.bot, {}, {}, body, {}, "application/json")
