"""What people send besides text."""

from typing import Unpack

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.formatting import formatted
from tests.fakes.telegram.media import SAMPLES, Material, medium
from tests.fakes.telegram.messages import Message, origin_of
from tests.fakes.telegram.people import Json, User, present
from tests.fakes.telegram.polls import Poll
from tests.fakes.telegram.talk import Talk, Way

__all__ = ["Shares"]


class Shares(Talk):
    def send(
        self,
        user: User,
        to: Chat | Bot,
        kind: str,
        data: bytes | None = None,
        *,
        caption: str = "",
        html: bool = False,
        name: str = "",
        mime: str = "",
        size: int | None = None,
        about: Json | None = None,
        **way: Unpack[Way],
    ) -> Message:
        """A photo, document, audio, voice, video, animation, video_note or sticker.

        Without `data` it is a small sample. `size` claims more bytes than there are; `about` is
        what else its kind tells, such as {"duration": 5, "performer": "…"}. A sticker of gzip is
        animated, one of WebM is a video.
        """
        bytes = SAMPLES[kind] if data is None else data
        content = self.file_content(kind, Material(bytes, name, mime, size, about or {}))
        return self.say(user, to, {**content, **_caption(caption, html=html)}, **way)

    def file_content(self, kind: str, material: Material) -> Json:
        return medium(self.library, kind, material)

    def send_album(
        self,
        user: User,
        to: Chat | Bot,
        kinds: list[str],
        caption: str = "",
        **way: Unpack[Way],
    ) -> list[Message]:
        """One message each; the caption stands at the first."""
        group: Json = {"media_group_id": str(13_000_000_000_000_000 + self.number())}
        way["extra"] = {**way.get("extra", {}), **group}
        return [
            self.send(user, to, kind, caption="" if place else caption, **way)
            for place, kind in enumerate(kinds)
        ]

    def send_location(
        self,
        user: User,
        to: Chat | Bot,
        latitude: float = 48.8584,
        longitude: float = 2.2945,
        *,
        live_period: int = 0,
        **way: Unpack[Way],
    ) -> Message:
        """Live for so many seconds, or not at all; `move` sends the next place."""
        location = {"latitude": latitude, "longitude": longitude}
        return self.say(
            user, to, {"location": {**location, **present(live_period=live_period)}}, **way
        )

    def move(self, message: Message, latitude: float, longitude: float) -> Message:
        """A live location goes on; bots hear of an edit."""
        place = {"latitude": latitude, "longitude": longitude}
        message.content["location"] = {**message.content["location"], **place}
        return self.changed(message)

    def send_venue(
        self, user: User, to: Chat | Bot, title: str, address: str, **way: Unpack[Way]
    ) -> Message:
        location = {"latitude": 48.8584, "longitude": 2.2945}
        venue = {"location": location, "title": title, "address": address}
        return self.say(user, to, {"venue": venue, "location": location}, **way)

    def send_contact(
        self, user: User, to: Chat | Bot, phone_number: str, first_name: str, **more: str | int
    ) -> Message:
        """`more`: last_name, user_id, vcard."""
        contact = {"phone_number": phone_number, "first_name": first_name, **more}
        return self.say(user, to, {"contact": contact})

    def send_poll(
        self,
        user: User,
        to: Chat | Bot,
        question: str,
        options: list[str],
        *,
        is_anonymous: bool = True,
    ) -> Message:
        """Of a person: bots hear of its votes only by the count, when it closes or they stop it."""
        poll = Poll(str(5_000_000_000_000_000_000 + self.number()), question, options, is_anonymous)
        return self.add_poll(self.say(user, to, {"poll": poll}))

    def send_dice(self, user: User, to: Chat | Bot, emoji: str = "🎲", value: int = 4) -> Message:
        return self.say(user, to, {"dice": {"emoji": emoji, "value": value}})

    def send_game(self, user: User, to: Chat | Bot, title: str = "Hopscotch") -> Message:
        photo = self.file_content("photo", Material(SAMPLES["photo"]))["photo"]
        game = {"title": title, "description": f"Play {title}", "photo": photo}
        return self.say(user, to, {"game": game})

    def send_story(self, user: User, to: Chat | Bot, of: Chat) -> Message:
        """A story of that chat, shared."""
        return self.say(user, to, {"story": {"chat": of.json(), "id": self.number()}})

    def send_invoice(self, user: User, to: Chat | Bot, title: str = "Tea") -> Message:
        """Another bot's, forwarded."""
        invoice: Json = {"title": title, "description": f"{title}, please", "start_parameter": ""}
        return self.say(user, to, {"invoice": {**invoice, "currency": "EUR", "total_amount": 350}})

    def pay(self, user: User, to: Chat | Bot, payload: str = "order-1") -> Message:
        paid = {
            "currency": "EUR",
            "total_amount": 350,
            "invoice_payload": payload,
            "telegram_payment_charge_id": f"charge{self.number()}",
            "provider_payment_charge_id": f"provider{self.number()}",
        }
        return self.say(user, to, {"successful_payment": paid})

    def forward(self, user: User, message: Message, to: Chat | Bot, **way: Unpack[Way]) -> Message:
        """Somebody passes on what is written elsewhere."""
        way["extra"] = {**way.get("extra", {}), "forward_origin": origin_of(message)}
        return self.say(user, to, dict(message.content), **way)

    def forward_from_nobody(self, user: User, name: str, to: Chat | Bot, text: str) -> Message:
        """Who wrote it first lets nobody see more than the name."""
        hidden = {"type": "hidden_user", "date": self.now(), "sender_user_name": name}
        return self.say(user, to, {"text": text}, extra={"forward_origin": hidden})

    def host(self, url: str, data: bytes) -> None:
        """What the server finds when a bot sends a file by this URL."""
        self.hosted[url] = data


def _caption(source: str, *, html: bool) -> Json:
    text, entities = formatted(source, "html" if html else "", [], lambda _: None)
    return present(caption=text, caption_entities=entities)
