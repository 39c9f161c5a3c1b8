"""Messages of bots that are neither text nor file: places, contacts, polls, dice, drafts."""

from tests.fakes.telegram import access
from tests.fakes.telegram.keyboards import inline_keyboard
from tests.fakes.telegram.lengths import utf16_length
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.people import Json, present
from tests.fakes.telegram.polls import Poll
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.sending import place_of, put, rich
from tests.fakes.telegram.world import Draft, World

__all__ = ["location_of"]

_DICE = {"🎲": 6, "🎯": 6, "🏀": 5, "⚽": 5, "🎳": 6, "🎰": 64}
_LIVE_FOR_EVER = 0x7FFFFFFF


def location_of(call: Call) -> Json:
    """Where, and for a live one how long and which way."""
    latitude, longitude = call.real("latitude"), call.real("longitude")
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Refused(400, "wrong latitude or longitude specified")
    accuracy = call.params.get("horizontal_accuracy")
    return {
        "latitude": latitude,
        "longitude": longitude,
        **present(
            horizontal_accuracy=accuracy and float(accuracy),
            live_period=call.number("live_period"),
            heading=call.number("heading"),
            proximity_alert_radius=call.number("proximity_alert_radius"),
        ),
    }


@method("sendLocation")
def send_location(world: World, call: Call) -> object:
    location = location_of(call)
    period = location.get("live_period", 60)
    if not 60 <= period <= 86400 and period != _LIVE_FOR_EVER:
        raise Refused(400, "wrong live location period specified")
    place = place_of(world, call, "location")
    return put(world, call, place, {"location": location}).json(call.bot)


@method("sendVenue")
def send_venue(world: World, call: Call) -> object:
    location = location_of(call)
    names = ("foursquare_id", "foursquare_type", "google_place_id", "google_place_type")
    venue = {
        "location": location,
        "title": call.required("title"),
        "address": call.required("address"),
        **present(**{name: call.text(name) for name in names}),
    }
    place = place_of(world, call, "venue")
    return put(world, call, place, {"venue": venue, "location": location}).json(call.bot)


@method("sendContact")
def send_contact(world: World, call: Call) -> object:
    contact = {
        "phone_number": call.required("phone_number"),
        "first_name": call.required("first_name"),
        **present(last_name=call.text("last_name"), vcard=call.text("vcard")),
    }
    place = place_of(world, call, "contact")
    return put(world, call, place, {"contact": contact}).json(call.bot)


@method("sendDice")
def send_dice(world: World, call: Call) -> object:
    emoji = call.text("emoji") or "🎲"
    if emoji not in _DICE:
        raise Refused(400, "wrong dice emoji specified")
    value = world.number() % _DICE[emoji] + 1
    place = place_of(world, call, "dice")
    return put(world, call, place, {"dice": {"emoji": emoji, "value": value}}).json(call.bot)


@method("sendPoll")
def send_poll(world: World, call: Call) -> object:
    place = place_of(world, call, "poll")
    anonymous = "is_anonymous" not in call.params or call.flag("is_anonymous")
    if place.chat.type == "channel" and not anonymous:
        raise Refused(400, "non-anonymous polls can't be sent to channel chats")
    poll = Poll(
        str(5_000_000_000_000_000_000 + world.number()),
        _plain(world, call, call.text("question"), call.text("question_parse_mode")),
        [_option(world, call, each) for each in call.objects("options")],
        anonymous,
        call.text("type") or "regular",
        call.flag("allows_multiple_answers"),
        call.flag("allows_revoting") or call.text("type") != "quiz",
        call.flag("is_closed"),
        _correct(call),
        present(
            explanation=call.text("explanation"),
            open_period=call.number("open_period"),
            close_date=call.number("close_date"),
        ),
        call.bot,
    )
    return world.add_poll(put(world, call, place, {"poll": poll})).json(call.bot)


def _correct(call: Call) -> list[int]:
    numbers = call.numbers("correct_option_ids")
    if call.text("type") == "quiz" and not numbers:
        raise Refused(400, "correct quiz option list must be non-empty")
    return numbers


def _option(world: World, call: Call, option: Json | str) -> str:
    if isinstance(option, str):
        return option
    return _plain(world, call, str(option["text"]), str(option.get("text_parse_mode", "")))


def _plain(world: World, call: Call, source: str, mode: str) -> str:
    return rich(world, call, source, mode, [])[0]


@method("stopPoll")
def stop_poll(world: World, call: Call) -> object:
    chat = access.readable(world, call)
    message = access.message_of(chat, call.number("message_id"), "message with poll to stop")
    if message not in call.bot.history or "poll" not in message.content:
        raise Refused(400, "poll can't be stopped")
    poll: Poll = message.content["poll"]
    if poll.is_closed:
        raise Refused(400, "poll has already been closed")
    poll.is_closed = True
    message.reply_markup = inline_keyboard(call)
    return poll.json()


@method("sendMessageDraft")
def send_message_draft(world: World, call: Call) -> object:
    """Text that grows while it is made; people see it for half a minute."""
    if not call.number("draft_id"):
        raise Refused(400, "draft_id must be non-zero")
    text, _ = rich(
        world, call, call.text("text"), call.text("parse_mode"), call.objects("entities")
    )
    if utf16_length(text) > 4096:
        raise Refused(400, "message is too long")
    place = place_of(world, call, "text")
    if not place.chat.user:
        raise Refused(400, "TEXTDRAFT_PEER_INVALID")
    world.records.drafts.append(Draft(call.bot, place.chat, call.number("draft_id"), text))
    return True
