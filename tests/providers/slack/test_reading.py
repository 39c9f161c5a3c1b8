"""What messages say: texts, blocks, attachments and files, always in words."""

from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from messengers.core.core import open_core
from messengers.errors import InvalidInput, PlatformRefused, Unreachable
from messengers.providers.base import MessageSeen
from messengers.providers.slack.incoming import translate
from messengers.providers.slack.reading import Body, read
from messengers.settings import Settings
from tests.fakes.internet import Internet, serving
from tests.fakes.slack import Bot, Channel, FakeSlack, User
from tests.fakes.slack.gatherings import Upload
from tests.providers.slack.conftest import Connected, connected

NAMES = {
    "users": {"U07000E57R3": {"name": "Grace Hopper"}},
    "places": {"C07000E57R3": {"name": "#team"}},
    "groups": {"S07000E57R3": {"handle": "crew"}},
}


def said(text: str = "", **fields: Any) -> Body:  # noqa: ANN401 - any JSON
    return read({"text": text, **fields}, NAMES)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@U07000E57R3> in <#C07000E57R3>", "@Grace Hopper in #team"),
        ("<@U07000E57R3|old> <!subteam^S07000E57R3|@old>", "@Grace Hopper @crew"),
        ("<@U0STRANGER> <#C0STRANGER|there> <!subteam^S0S|@them>", "@U0STRANGER #there @them"),
        ("<!here> <!channel|channel> <!everyone>", "@here channel @everyone"),
        ("<!date^1700000000^{date}|yesterday>", "yesterday"),
        ("<https://a.example/?a=1&amp;b=2|the page>", "[the page](https://a.example/?a=1&b=2)"),
        ("<https://a.example> <http://b.example|b.example>", "https://a.example b.example"),
        ("<mailto:a@a.example|a@a.example>", "a@a.example"),
        ("*bold* _it_ ~gone~ 2*3*4 a~b~c", "**bold** _it_ ~~gone~~ 2*3*4 a~b~c"),
        ("*see <https://a.example/*x*|this>*", "**see [this](https://a.example/*x*)**"),
        ("`*code* :tada:` ```a &lt; b\n*c*```", "`*code* :tada:` ```a < b\n*c*```"),
        (":tada: :wave::skin-tone-2: :parrots:", "🎉 👋🏻 :parrots:"),
        ("at 10:30:00", "at 10:30:00"),
        ("&lt;!channel&gt; &amp;amp;", "<!channel> &amp;"),
    ],
)
def test_a_text_is_read_as_people_see_it(text: str, shown: str) -> None:
    assert said(text).text == shown


def rich(*elements: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return [{"type": "rich_text", "elements": list(elements)}]


def test_what_people_format_is_read_where_there_is_no_text() -> None:
    section = {
        "type": "rich_text_section",
        "elements": [
            {"type": "text", "text": "loud", "style": {"bold": True}},
            {"type": "text", "text": " "},
            {"type": "user", "user_id": "U07000E57R3"},
            {"type": "channel", "channel_id": "C07000E57R3"},
            {"type": "usergroup", "usergroup_id": "S07000E57R3"},
            {"type": "broadcast", "range": "here"},
            {"type": "emoji", "name": "tada"},
            {"type": "link", "url": "https://a.example", "text": "page"},
            {"type": "date", "timestamp": 1, "fallback": " yesterday"},
            {"type": "color", "value": "#fff"},
        ],
    }
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": t}]} for t in "ab"]
    code = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]}
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": "so\nit is"}]}
    ordered = {"type": "rich_text_list", "style": "ordered", "elements": items}
    nested = {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": items}

    body = said(blocks=rich(section, ordered, nested, quote, code))

    assert body.text.splitlines() == [
        "**loud** @Grace Hopper#team@crew@here🎉[page](https://a.example) yesterday#fff",
        *("1. a", "2. b", "  • a", "  • b", "> so", "> it is", "```", "x = 1", "```"),
    ]


def test_blocks_are_read_in_place_of_the_text_beside_them() -> None:
    def plain(text: str) -> dict[str, str]:
        return {"type": "plain_text", "text": text}

    button = {"type": "button", "text": plain("Go :rocket:")}
    select = {"type": "static_select", "placeholder": plain("?"), "options": [{"text": plain("A")}]}
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain("Deploy :tada:")},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*by* <@U07000E57R3>"},
            "fields": [{"type": "mrkdwn", "text": "one"}, plain("two")],
            "accessory": button,
        },
        {"type": "divider"},
        {"type": "image", "alt_text": "a cat", "image_url": "https://a.example/cat.png"},
        {"type": "image", "title": plain("Cats"), "alt_text": "a cat"},
        {"type": "context", "elements": [plain("small"), {"type": "image", "alt_text": "icon"}]},
        {"type": "actions", "elements": [button, select]},
        {"type": "markdown", "text": "**md**"},
        {"type": "input", "label": plain("Name"), "element": {"type": "plain_text_input"}},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}, {"text": "y"}]]},
        {"type": "tomorrow", "title": plain("new"), "blocks": [{"text": plain("inner")}]},
        *rich({"type": "rich_text_section", "elements": [{"type": "text", "text": "end"}]}),
    ]

    body = said("fallback nobody sees", blocks=blocks)

    assert body.text.splitlines() == [
        *("Deploy 🎉", "**by** @Grace Hopper", "one", "two", "———", "(picture: a cat)"),
        *("(picture: Cats)", "small", "**md**", "Name", "x | y", "new", "inner", "end"),
    ]
    assert body.buttons == ("Go 🚀", "Go 🚀", "A")


def test_attachments_are_read_but_not_previews_of_what_the_text_names() -> None:
    alert = {
        "pretext": "Build",
        "author_name": "CI",
        "title": "failed",
        "title_link": "https://ci.example",
        "text": "*red*",
        "fields": [{"title": "branch", "value": "main"}],
        "image_url": "https://ci.example/x.png",
        "footer": "at five",
        "fallback": "nobody sees this",
    }
    preview = {"from_url": "https://a.example", "title": "A page"}
    shared = {"from_url": "https://a.example", "is_share": True, "text": "passed on"}
    inner = {"message_blocks": [{"message": {"blocks": [{"type": "header", "text": "told"}]}}]}

    body = said("see https://a.example", attachments=[alert, preview, shared, inner])

    assert body.text.splitlines() == [
        *("see https://a.example", "Build", "CI", "[failed](https://ci.example)", "**red**"),
        *("branch: main", "(picture)", "at five", "passed on", "told"),
    ]
    assert said(attachments=[{"fallback": "only this"}]).text == "only this"


def test_a_message_is_never_empty() -> None:
    assert said().text == "(an empty message)"
    assert said(subtype="huddle_thread").text == "(huddle thread)"
    assert said("waves", subtype="me_message").text == "_waves_"
    assert said("x joined", subtype="channel_join").is_service


def test_files_that_are_not_kept_at_slack_are_told() -> None:
    files: list[dict[str, Any]] = [
        {"id": "F1", "mode": "tombstone"},
        {"id": "F2", "mode": "hidden_by_limit"},
        {"id": "F3", "mode": "external", "title": "Plan", "external_url": "https://d.example/1"},
        {"id": "F4", "mode": "hosted", "subtype": "slack_audio", "duration_ms": 1500},
        {"id": "F5", "file_access": "check_file_info"},
    ]
    body = said(files=files)

    assert body.text.splitlines() == [
        "(a file that was deleted)",
        "(a file beyond what the workspace keeps)",
        "(Plan: https://d.example/1)",
    ]
    assert [(each.kind, each.native_ref, each.duration_s) for each in body.attachments] == [
        ("voice", "F4", 1.5),
        ("document", "F5", None),
    ]


@pytest.mark.parametrize(
    ("name", "mime", "kind"),
    [
        ("a.png", "image/png", "image"),
        ("a.gif", "image/gif", "gif"),
        ("a.mp4", "video/mp4", "video"),
        ("a.mp3", "audio/mpeg", "audio"),
        ("a.pdf", "application/pdf", "document"),
    ],
)
async def test_a_file_of_each_kind_can_be_fetched(
    work: Connected, name: str, mime: str, kind: str
) -> None:
    data = b"%PDF-1.4 " + b"x" * 100
    about = {"original_w": 3, "original_h": 4}
    work.slack.upload(
        work.grace, work.team, Upload(name, data, mime=mime, about=about), text="look"
    )

    heard = await work.message(work.team.id, lambda each: each.attachments)
    got = await work.provider.download(heard.attachments[0], 1_000)

    (file,) = heard.attachments
    assert (heard.text, file.kind, file.name, file.width) == ("look", kind, name, 3)
    assert file.size_bytes == len(data)
    assert got == data


async def test_the_token_goes_to_slack_only(slack: FakeSlack, work: Connected) -> None:
    work.slack.upload(work.grace, work.team, Upload("a.txt", b"hello", mime="text/plain"))
    heard = await work.message(work.team.id, lambda each: each.attachments)
    file = slack.files[heard.attachments[0].native_ref]
    file.about = {"url_private": "https://evil.example/x", "url_private_download": ""}

    with pytest.raises(Exception, match="not kept at Slack"):
        await work.provider.download(heard.attachments[0], 1_000)


async def test_what_cannot_be_fetched_says_why(work: Connected) -> None:
    work.slack.upload(work.grace, work.team, Upload("a.txt", b"hello", mime="text/plain"))
    heard = await work.message(work.team.id, lambda each: each.attachments)
    (attachment,) = heard.attachments
    file = work.slack.files[attachment.native_ref]

    with pytest.raises(InvalidInput, match="larger"):
        await work.provider.download(attachment, 3)
    work.slack.break_file(file, 500)
    with pytest.raises(Unreachable, match="at the moment"):
        await work.provider.download(attachment, 1_000)
    file.about = {"url_private_download": "https://files.slack.com:nowhere/"}
    with pytest.raises(PlatformRefused, match="did not give"):
        await work.provider.download(attachment, 1_000)
    file.about = {"url_private_download": "", "url_private": ""}
    with pytest.raises(PlatformRefused, match="no longer"):
        await work.provider.download(attachment, 1_000)
    work.slack.delete_file(file)
    with pytest.raises(Exception, match="deleted"):
        await work.provider.download(attachment, 1_000)


async def test_slack_s_page_to_sign_in_is_no_file(slack: FakeSlack, work: Connected) -> None:
    work.slack.upload(work.grace, work.team, Upload("a.txt", b"hello", mime="text/plain"))
    heard = await work.message(work.team.id, lambda each: each.attachments)
    elsewhere = slack.add_channel(work.acme, "elsewhere", work.grace, private=True)
    hidden = slack.upload(work.grace, elsewhere, Upload("b.txt", b"hidden", mime="text/plain"))
    file = slack.files[heard.attachments[0].native_ref]
    file.about = {"url_private_download": hidden.files[0].json()["url_private_download"]}

    with pytest.raises(PlatformRefused, match="did not give"):
        await work.provider.download(heard.attachments[0], 1_000)
    assert slack.downloads[-1].endswith("b.txt")


async def test_a_file_s_address_is_reached_through_the_guard(
    slack: FakeSlack, bot: Bot, team: Channel, grace: User, tmp_path: Path
) -> None:
    async with serving() as server:
        internet = Internet(server)
        internet.names = {"files.slack.com": ["10.0.0.5"]}
        guarded = partial(open_core, Settings(home=tmp_path / "home"), guard=internet.guard())
        async with connected(slack, guarded, bot, grace, team) as work:
            slack.upload(grace, team, Upload("a.txt", b"hello", mime="text/plain"))
            heard = await work.message(team.id, lambda each: each.attachments)
            file = slack.files[heard.attachments[0].native_ref]
            file.about = {"url_private_download": "https://files.slack.com/a.txt"}
            with pytest.raises(Unreachable, match="at the moment"):
                await work.provider.download(heard.attachments[0], 1_000)

    assert internet.lookups == ["files.slack.com"]
    assert internet.tried == []


def event(kind: str, **fields: Any) -> tuple[str, bytes]:  # noqa: ANN401 - any JSON
    beside = {"at": "1700000000.000100", "me": "U0ME", "bot": "B0ME", "handle": "helper"}
    return kind, orjson.dumps({"type": kind, "messengers": {**beside, "names": NAMES}, **fields})


def one(kind: str, **fields: Any) -> MessageSeen:  # noqa: ANN401 - any JSON
    (seen,) = translate(*event(kind, **fields))
    assert isinstance(seen, MessageSeen)
    return seen


def test_only_what_the_owner_typed_in_slack_is_his_own_hand() -> None:
    place = {"channel": "C07000E57R3", "ts": "1700000000.000100", "text": "hi", "user": "U0ME"}

    typed = one("message", **place, client_msg_id="x")
    by_app = one("message", **place, client_msg_id="x", app_id="A0", bot_id="B0OTHER")
    by_bot = one("message", **{**place, "user": ""}, bot_id="B0ME")

    assert [each.origin for each in (typed, by_app, by_bot)] == ["device", "realtime", "realtime"]
    assert {each.direction for each in (typed, by_app, by_bot)} == {"out"}


def test_who_writes_without_being_a_user_has_a_name() -> None:
    place = {"channel": "C07000E57R3", "ts": "1700000000.000100", "text": "hi"}

    named = one("message", **place, bot_id="B0OTHER", username="CI", subtype="bot_message")
    profiled = one("message", **place, bot_id="B0OTHER", bot_profile={"name": "Jira"})
    unknown = one("message", **place, bot_id="B0OTHER")

    senders = [each.sender for each in (named, profiled, unknown)]
    assert [each.display_name for each in senders] == ["CI", "Jira", "an app"]
    assert all(each.is_bot for each in senders)


def test_a_direct_message_goes_by_who_writes_there_when_slack_says_nothing_in_time() -> None:
    place = {"channel": "D0UNKNOWN0", "channel_type": "im", "text": "hi"}

    theirs = one("message", **place, ts="1700000000.000100", user="U07000E57R3")
    mine = one("message", **place, ts="1700000000.000200", user="U0ME")

    assert (theirs.chat.native_id, theirs.chat.alt_ids) == ("U07000E57R3", ("D0UNKNOWN0",))
    assert (mine.chat.native_id, mine.chat.kind) == ("D0UNKNOWN0", "dm")


def test_what_is_chosen_or_typed_in_a_message_is_told() -> None:
    about = {
        "channel": {"id": "C07000E57R3"},
        "user": {"id": "U07000E57R3"},
        "container": {"message_ts": "1700000000.000100"},
    }
    actions: list[dict[str, Any]] = [
        {"selected_option": {"text": {"type": "plain_text", "text": "Small"}, "value": "s"}},
        {"selected_options": [{"text": {"text": "A"}}, {"text": {"text": "B"}}]},
        {"selected_date": "2026-11-21"},
        {"value": "typed"},
        {"action_id": "nameless"},
    ]
    told = [
        one("block_actions", **about, actions=[{**each, "action_ts": f"1700000000.00010{n}"}]).text
        for n, each in enumerate(actions)
    ]

    assert told == [
        *("(pressed: Small)", "(pressed: A, B)", "(pressed: 2026-11-21)", "(pressed: typed)"),
        "(pressed: nameless)",
    ]
    assert translate(*event("block_actions", user={"id": "U0"}, view={}, actions=[])) == []


@pytest.mark.parametrize("fields", [{}, {"channel": []}, {"channel": "C0", "ts": 17.5}])
def test_what_is_malformed_is_kept_and_said(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        translate(*event("message", **fields))
