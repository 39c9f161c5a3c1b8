"""What people do with an app itself: press its buttons, fill its forms, type its commands."""

from functools import partial
from typing import Literal

from tests.fakes.slack.apps import Bot
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.formatting import sanitized
from tests.fakes.slack.gatherings import Gatherings
from tests.fakes.slack.messages import Message
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.world import Hook, Trigger

__all__ = ["Interaction"]


class Interaction(Gatherings):
    """Each hook answers with the delivery: `acked` and `answer` are what the app said to it."""

    def press(self, user: User, message: Message, button: str) -> Delivery:
        """The button of this text or action_id under an app's message."""
        found = next(
            each
            for each in message.buttons
            if button in {each["text"]["text"], each.get("action_id")}
        )
        kept = ("action_id", "block_id", "text", "value", "type", "style")
        action = {name: found[name] for name in kept if name in found}
        return self._act(user, message, action)

    def choose(self, user: User, message: Message, action_id: str, value: str) -> Delivery:
        """An option of a select."""
        elements = [
            {**each, "block_id": block["block_id"]}
            for block in message.blocks
            for each in [*block.get("elements", []), block.get("accessory", {})]
        ]
        found = next(each for each in elements if each.get("action_id") == action_id)
        option = next(each for each in found["options"] if each["value"] == value)
        about = {name: found[name] for name in ("action_id", "block_id", "type")}
        return self._act(user, message, {**about, "selected_option": option})

    def _act(self, user: User, message: Message, action: Json) -> Delivery:
        channel, bot = message.channel, message.bot
        assert bot
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.ephemeral_to is not None,
            **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        }
        shown = {} if message.ephemeral_to else {"message": message.json()}
        payload: Json = {
            "type": "block_actions",
            **self._about(user, bot),
            "container": container,
            "channel": {"id": channel.id, "name": _called(channel)},
            **shown,
            "state": {"values": {}},
            "response_url": self._hook(bot, channel, user, message),
            "actions": [{**action, "action_ts": self.next_ts()}],
        }
        return self.line(bot).put(Delivery("interactive", payload))

    def _about(self, user: User, bot: Bot, *, triggers: bool = True) -> Json:
        workspace = bot.workspace
        about: Json = {
            "user": {
                "id": user.id,
                "username": user.name,
                "name": user.name,
                "team_id": workspace.id,
            },
            "api_app_id": bot.app.id,
            "token": bot.app.verification_token,
            "team": {"id": workspace.id, "domain": workspace.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }
        return about | ({"trigger_id": self._trigger(bot)} if triggers else {})

    def _trigger(self, bot: Bot) -> str:
        trigger_id = f"{self.identifiers.number()}.{self.now()}.{bot.id.lower()}"
        self.triggers[trigger_id] = Trigger(bot.app, self.now())
        return trigger_id

    def _hook(self, bot: Bot, channel: Channel, user: User, message: Message | None) -> str:
        hook_id = self.identifiers.new("H")
        self.hooks[hook_id] = Hook(bot, channel, user, message, self.now())
        return f"{self.url}/actions/{bot.workspace.id}/{hook_id}"

    def shortcut(self, user: User, bot: Bot, callback_id: str) -> Delivery:
        """From the menu of the message field."""
        about = {"callback_id": callback_id, "action_ts": self.next_ts()}
        payload = {"type": "shortcut", **self._about(user, bot), **about}
        return self.line(bot).put(Delivery("interactive", payload))

    def message_shortcut(
        self, user: User, bot: Bot, message: Message, callback_id: str
    ) -> Delivery:
        """From the menu of a message."""
        channel = message.channel
        payload = {
            "type": "message_action",
            **self._about(user, bot),
            "callback_id": callback_id,
            "action_ts": self.next_ts(),
            "message_ts": message.ts,
            "channel": {"id": channel.id, "name": _called(channel)},
            "message": message.json(),
            "response_url": self._hook(bot, channel, user, message),
        }
        return self.line(bot).put(Delivery("interactive", payload))

    def submit(self, user: User, bot: Bot, view_id: str, values: Json) -> Delivery:
        """A modal, with its state: `{block_id: {action_id: {"type": …, "value": …}}}`."""
        return self._view(user, bot, view_id, "view_submission", values)

    def close_view(self, user: User, bot: Bot, view_id: str) -> Delivery:
        return self._view(user, bot, view_id, "view_closed", {})

    def _view(
        self,
        user: User,
        bot: Bot,
        view_id: str,
        kind: Literal["view_submission", "view_closed"],
        values: Json,
    ) -> Delivery:
        sent = kind == "view_submission"
        view = {**self.views[view_id], "state": {"values": values}}
        about = self._about(user, bot, triggers=sent)
        payload: Json = {"type": kind, **about, "view": view}
        payload |= {"response_urls": []} if sent else {"is_cleared": False}
        return self.line(bot).put(Delivery("interactive", payload, accepts_response=sent))

    def command(
        self, user: User, bot: Bot, channel: Channel, name: str, text: str = ""
    ) -> Delivery:
        """A slash command, such as `/deploy`; what the app answers at once is shown."""
        if not bot.token.may("commands"):
            raise ValueError("the app has no commands")
        payload: Json = {
            "token": bot.app.verification_token,
            "team_id": bot.workspace.id,
            "team_domain": bot.workspace.domain,
            "channel_id": channel.id,
            "channel_name": _called(channel),
            "user_id": user.id,
            "user_name": user.name,
            "command": name,
            "text": text,
            "api_app_id": bot.app.id,
            "is_enterprise_install": "false",
            "response_url": self._hook(bot, channel, user, None),
            "trigger_id": self._trigger(bot),
        }
        delivery = self.line(bot).put(Delivery("slash_commands", payload, accepts_response=True))
        hook = Hook(bot, channel, user, None, self.now())
        self.soon(partial(self._show_answer, delivery, hook))
        return delivery

    async def _show_answer(self, delivery: Delivery, hook: Hook) -> None:
        await delivery.ended.wait()
        if delivery.answer:
            self.respond(hook, delivery.answer)

    def respond(self, hook: Hook, answer: Json) -> None:
        """What an app says to something somebody did, by its address or at once."""
        message, bot = hook.message, hook.bot
        text, blocks = sanitized(str(answer.get("text", ""))), answer.get("blocks", [])
        if message and answer.get("delete_original"):
            self.delete(message)
        elif message and answer.get("replace_original"):
            self.edit(message, text)
            message.blocks = blocks
        elif answer.get("response_type") == "in_channel":
            self.announce(self.post(hook.channel, text, bot.user, bot=bot, blocks=blocks))
        else:
            self.whisper(hook.channel, text, bot.user, hook.user, bot=bot, blocks=blocks)


def _called(channel: Channel) -> str:
    """As payloads name a conversation."""
    match channel.kind:
        case "im":
            return "directmessage"
        case "private_channel":
            return "privategroup"
        case _:
            return channel.name
