"""What leaves, as the fake's people see it."""

from base64 import b64encode

import pytest

from messengers.core.callers import OWNER
from messengers.errors import InvalidInput, NotFound, Unsupported
from messengers.models import Button, Lifecycle, Outcome
from messengers.providers.slack import delivery
from tests.fakes.slack import Bot, Channel, FakeSlack, User
from tests.providers.slack.conftest import AGENT, Connected, OpenCore, becomes, connected, until

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f"
    b"\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84\x00\x00"
    b"\x00\x00IEND\xaeB`\x82"
)


def as_data(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{b64encode(data).decode()}"


async def perform(work: Connected, act: object) -> None:
    await work.core.approvals.perform(act, 10)  # pyright: ignore[reportArgumentType] - any act


@pytest.mark.case("S23")
async def test_a_text_reaches_a_person_without_previews(work: Connected) -> None:
    answer = await work.send(work.grace, "**Look:** https://a.example/?a=1&b=2")

    (sent,) = work.bot.sent()
    assert answer.outcome is Outcome.ACCEPTED
    assert sent.text == "*Look:* <https://a.example/?a=1&amp;b=2>"
    assert (sent.options["unfurl_links"], sent.options["unfurl_media"]) == ("false", "false")
    assert (await work.heard(work.grace.id, "**Look:** https://a.example/?a=1&b=2")).native_id


async def test_previews_and_calling_everybody_are_the_owner_s_choice(
    slack: FakeSlack, reopen: OpenCore, bot: Bot, grace: User, team: Channel
) -> None:
    allowed = {"link_previews": "true", "mass_mentions": "true"}
    async with connected(slack, reopen, bot, grace, team, **allowed) as work:
        await work.send(team, "@channel https://a.example and `@here` stays")

    (sent,) = bot.sent()
    assert sent.options["unfurl_links"] == "true"
    assert sent.called == {"channel"}


@pytest.mark.case("S24")
@pytest.mark.parametrize(
    "text",
    [
        "<!channel> <!here|x> <!everyone> @channel @here @everyone",
        "<@U07000E57R3> and <!subteam^S07000E57R3|team> and <#C07000E57R3>",
        "[<!channel>](https://a.example/<!here>|x) `<!channel>` ```<!channel>```",
        "&lt;!channel&gt; \\<!channel\\> <!channel",
    ],
)
async def test_nothing_in_a_text_calls_anybody(work: Connected, text: str) -> None:
    await work.send(work.team, text)
    await work.send(work.team, text, format="plain")

    assert len(work.bot.sent()) == 2
    assert [sent.called for sent in work.bot.sent()] == [set(), set()]


async def test_a_long_text_leaves_in_parts_that_can_be_changed(work: Connected) -> None:
    text = "\n\n".join(f"**{number}** " + "word & more " * 60 for number in range(12))

    answer = await work.send(work.grace, text)

    sent = work.bot.sent()
    assert answer.outcome is Outcome.ACCEPTED
    assert len(sent) > 1
    assert all(len(each.text) <= 4_000 for each in sent)
    stored = await work.messages(work.grace.id)
    assert [each.part for each in stored] == [f"{n}/{len(sent)}" for n in range(1, len(sent) + 1)]


async def test_an_answer_opens_a_thread_and_goes_on_in_it(work: Connected) -> None:
    question = work.slack.write(work.grace, work.team, "who comes?")
    heard = await work.heard(work.team.id, "who comes?")

    await work.send(work.team, "I do", reply_to=heard.id)
    reply = work.slack.write(work.grace, work.team, "and when?", thread=question)
    again = await work.heard(work.team.id, "and when?")
    await work.send(work.team, "at five", reply_to=again.id)

    assert [each.thread_ts for each in work.bot.sent()] == [question.ts, question.ts]
    assert reply.thread_ts == question.ts
    mine = await work.heard(work.team.id, "at five")
    assert mine.reply_to == again.id


async def test_a_message_of_ours_is_changed_pinned_and_deleted(work: Connected) -> None:
    await work.send(work.team, "at *five*")
    mine = await work.heard(work.team.id, "at *five*")
    changes = work.core.changes

    await perform(work, await changes.prepare_edit(AGENT, mine.id, "at **six** <!here>"))
    await perform(work, await changes.prepare_pin(AGENT, mine.id))
    await perform(work, await changes.prepare_pin(AGENT, mine.id))
    (sent,) = work.bot.sent()
    shown, pins = sent.text, list(work.team.pins)
    await perform(work, await changes.prepare_pin(AGENT, mine.id, pinned=False))
    await perform(work, await changes.prepare_delete(AGENT, mine.id))

    assert shown == "at *six* &lt;!here&gt;"
    assert pins == [sent]
    assert work.team.pins == []
    assert work.bot.sent() == []
    (left,) = await work.messages(work.team.id)
    assert left.status == "deleted"


async def test_one_reaction_of_ours_takes_the_place_of_the_last(work: Connected) -> None:
    message = work.slack.write(work.grace, work.team, "done")
    work.slack.react(work.grace, message, "wave::skin-tone-3")
    heard = await work.message(work.team.id, lambda each: each.reactions)
    react = work.core.changes.prepare_react

    await perform(work, await react(AGENT, heard.id, "👍"))
    await perform(work, await react(AGENT, heard.id, "🎉"))
    first = {name: [each.id for each in users] for name, users in message.reactions.items()}
    stored = await work.message(work.team.id, lambda each: len(each.reactions) == 2)
    await perform(work, await react(AGENT, heard.id, ""))

    me = work.bot.user.id
    assert first == {"wave::skin-tone-3": [work.grace.id], "tada": [me]}
    assert {(each.emoji, each.by_me, each.count) for each in stored.reactions} == {
        ("👋🏼", False, 1),
        ("🎉", True, 1),
    }
    await becomes(lambda: list(message.reactions) == ["wave::skin-tone-3"])
    with pytest.raises(Unsupported):
        await perform(work, await react(AGENT, heard.id, "☙"))


async def test_a_workspace_s_own_emoji_is_given_by_its_name(work: Connected) -> None:
    work.slack.add_emoji(work.acme, "shipit", "https://emoji.example/shipit.png")
    message = work.slack.write(work.grace, work.team, "done")
    heard = await work.heard(work.team.id, "done")
    react = work.core.changes.prepare_react

    await perform(work, await react(AGENT, heard.id, ":shipit:"))
    await becomes(lambda: list(message.reactions) == ["shipit"])
    shown = await work.message(work.team.id, lambda each: each.reactions)
    with pytest.raises(InvalidInput, match="Give it as 👍"):
        await perform(work, await react(AGENT, heard.id, ":thumbsup:"))

    assert [(each.emoji, each.by_me) for each in shown.reactions] == [(":shipit:", True)]
    assert list(message.reactions) == ["shipit"]


async def test_reactions_of_others_come_and_go_one_by_one(work: Connected) -> None:
    message = work.slack.write(work.grace, work.team, "done")
    work.slack.react(work.grace, message, "+1")
    work.slack.react(work.grace, message, "partyparrot")
    both = await work.message(work.team.id, lambda each: len(each.reactions) == 2)
    work.slack.unreact(work.grace, message, "+1")
    one = await work.message(work.team.id, lambda each: len(each.reactions) == 1)

    assert [each.emoji for each in both.reactions] == ["👍", ":partyparrot:"]
    assert (one.reactions[0].emoji, one.reactions[0].by) == (":partyparrot:", (work.grace.id,))


async def test_a_file_leaves_in_three_steps_with_its_text(work: Connected) -> None:
    answer = await work.send(work.grace, "the *plan*", attachments=[as_data(PNG, "image/png")])

    (sent,) = work.bot.sent()
    assert answer.outcome is Outcome.ACCEPTED
    assert (sent.text, sent.files[0].data) == ("the _plan_", PNG)
    stored = await work.messages(work.grace.id)
    assert [each.native_id for each in stored] == [sent.ts]


async def test_several_files_leave_as_one_message(work: Connected) -> None:
    files = [as_data(PNG, "image/png"), as_data(b"a note", "text/plain")]
    answer = await work.send(work.grace, "the **plans**", attachments=files)

    (sent,) = work.bot.sent()
    (stored,) = await work.messages(work.grace.id)
    assert (sent.text, [each.data for each in sent.files]) == ("the *plans*", [PNG, b"a note"])
    assert [each.kind for each in stored.attachments] == ["image", "document"]
    assert answer.outcome is Outcome.ACCEPTED


async def test_a_file_that_slack_does_not_show_is_in_doubt(
    work: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_SHARED_S", 0.3)
    work.slack.loses_shares = True

    answer = await work.send(work.grace, attachments=[as_data(PNG, "image/png")])

    assert answer.outcome is Outcome.UNKNOWN
    assert "does not show it yet" in " ".join(answer.notes)


async def test_an_upload_that_breaks_was_not_sent(work: Connected) -> None:
    work.slack.fail_next("files.completeUploadExternal", "file_not_found")

    answer = await work.send(work.grace, attachments=[as_data(PNG, "image/png")])

    assert answer.outcome is Outcome.FAILED
    assert work.bot.sent() == []


async def test_buttons_stand_under_their_text_and_a_press_comes_back(work: Connected) -> None:
    buttons = [Button(text="Yes"), Button(text="No"), Button(text="Page", url="https://a.example")]
    answer = await work.send(work.team, "Come?", buttons=buttons)
    (sent,) = work.bot.sent()

    pressed = work.slack.press(work.grace, sent, "No")

    said = await work.heard(work.team.id, "(pressed: No)")
    assert [each["text"]["text"] for each in sent.buttons] == ["Yes", "No", "Page"]
    assert (said.reply_to, said.sender.display_name) == (answer.message, "Grace Hopper")
    await work.slack.until(lambda: pressed.acked)


async def test_a_command_is_a_message(work: Connected) -> None:
    typed = work.slack.command(work.grace, work.bot, work.team, "/deploy", "now")

    said = await work.heard(work.team.id, "/deploy now")
    assert said.mentions_me
    await work.slack.until(lambda: typed.acked)


async def test_a_place_and_a_contact_leave_as_text(work: Connected) -> None:
    place = {"latitude_deg": 56.9, "longitude_deg": 24.1, "title": "Riga <|>"}
    there = await work.send(work.grace, location=place)
    card = await work.send(work.grace, contact={"name": "Ann & Co", "phone": "+37120000000"})

    shown = [each.shown for each in work.bot.sent()]
    assert shown == ["Riga <¦>", "Ann & Co: +37120000000"]
    assert "no places" in " ".join(there.notes)
    assert "no contacts" in " ".join(card.notes)


async def test_recipients_are_found_by_their_names_when_they_are_written_to(
    work: Connected,
) -> None:
    alan = work.slack.add_user(work.acme, "alan", "Alan Turing")
    secret = work.slack.add_channel(work.acme, "secret", work.grace, work.bot, private=True)

    await work.send("@alan", "hello")
    await work.send("#secret", "hello all")

    assert [each.channel for each in work.bot.sent()] == [
        work.slack.dm(alan, work.bot),
        secret,
    ]
    for native_id, name in ((alan.id, "Alan Turing"), (secret.id, "#secret")):
        chat = await work.chat(native_id)
        await becomes_named(work, native_id, name)
        assert chat.kind in ("dm", "group")
    with pytest.raises(NotFound):
        await work.send("#nowhere", "hello?")
    with pytest.raises(InvalidInput):
        await work.send("+37120000000", "hello?")


async def becomes_named(work: Connected, native_id: str, name: str) -> None:
    async def named() -> bool | None:
        return (await work.chat(native_id)).name == name or None

    await until(named)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("channel_not_found", "shows this account no such conversation"),
        ("not_in_channel", "not in that channel"),
        ("is_archived", "archived"),
        ("restricted_action_read_only_channel", "may not post there"),
        ("restricted_action", "workspace does not let"),
        ("cannot_dm_bot", "Apps cannot write to apps"),
        ("some_new_word", "Slack refused it: some new word."),
    ],
)
async def test_a_refusal_is_told_in_words_and_nothing_was_sent(
    work: Connected, error: str, said: str
) -> None:
    work.slack.fail_next("chat.postMessage", error, times=None)

    answer = await work.send(work.team, "hello")

    assert answer.outcome is Outcome.FAILED
    assert said in " ".join(answer.notes)
    assert work.bot.sent() == []


async def test_a_missing_scope_is_named(work: Connected) -> None:
    work.bot.token.scopes.discard("chat:write")

    answer = await work.send(work.team, "hello")

    assert "The app lacks a scope: chat:write." in " ".join(answer.notes)


@pytest.mark.case("F15")
@pytest.mark.parametrize("retry_after", [1, "0.5", None, "soon", 10**9])
async def test_slack_says_later_and_nothing_is_sent_before(
    work: Connected, retry_after: int | str | None
) -> None:
    work.slack.flood(retry_after, method="chat.postMessage", channel=work.team)

    answer = await work.send(work.team, "hello", wait_s=0.3)
    await work.send(work.grace, "another chat goes on")

    assert answer.outcome is Outcome.QUEUED
    assert len(work.slack.asked("chat.postMessage")) == 2
    assert [each.text for each in work.bot.sent()] == ["another chat goes on"]


@pytest.mark.parametrize("fault", ["accept_then_break", "cut"])
async def test_what_was_not_answered_is_looked_for_and_not_sent_again(
    work: Connected, fault: str
) -> None:
    getattr(work.slack, fault)("chat.postMessage")

    answer = await work.send(work.team, "once only")

    assert answer.outcome is Outcome.ACCEPTED
    (sent,) = work.bot.sent()
    assert [each.native_id for each in await work.messages(work.team.id)] == [sent.ts]


async def test_an_answer_in_a_thread_is_found_again_also_when_looking_fails_at_first(
    work: Connected,
) -> None:
    work.slack.write(work.grace, work.team, "who comes?")
    heard = await work.heard(work.team.id, "who comes?")
    work.bot.token.scopes.discard("im:history")
    work.slack.cut("chat.postMessage")
    await work.send(work.team, "I do", wait_s=0, reply_to=heard.id)
    await work.slack.until(lambda: work.bot.sent())
    work.slack.break_down("conversations.replies")

    mine = await work.message(work.team.id, lambda each: each.delivery == "sent")

    assert mine.text == "I do"
    assert len(work.bot.sent()) == 1


async def test_a_file_whose_last_step_is_not_answered_is_found_again(work: Connected) -> None:
    work.slack.cut("files.completeUploadExternal")

    answer = await work.send(work.grace, "plan", attachments=[as_data(PNG, "image/png")])

    (sent,) = work.bot.sent()
    assert answer.outcome is Outcome.ACCEPTED
    assert sent.files[0].data == PNG


async def test_a_thread_whose_beginning_is_not_shown_is_left_to_slack(work: Connected) -> None:
    work.slack.write(work.grace, work.team, "who comes?")
    heard = await work.heard(work.team.id, "who comes?")
    work.slack.fail_next("conversations.replies", "missing_scope")

    answer = await work.send(work.team, "I do", reply_to=heard.id)

    assert answer.outcome is Outcome.ACCEPTED
    assert work.bot.sent()[0].thread_ts == heard.native_id


async def test_what_slack_does_not_show_stays_in_doubt(
    work: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_SEEK_S", 0.5)
    work.slack.cut("chat.postMessage", carried_out=False)

    answer = await work.send(work.team, "perhaps")

    assert answer.outcome is Outcome.UNKNOWN
    assert len(work.slack.asked("chat.postMessage")) == 1


async def test_a_revoked_token_ends_the_instance(work: Connected) -> None:
    work.slack.uninstall(work.bot)

    await work.reaches(Lifecycle.BAD_CREDENTIALS)


async def test_our_own_message_is_stored_once(work: Connected) -> None:
    await work.send(work.team, "mine")
    work.slack.write(work.grace, work.team, "last")
    await work.heard(work.team.id, "last")

    assert [each.text for each in await work.messages(work.team.id)] == ["mine", "last"]
    found = await work.core.events.since(OWNER, 0, kind="message.received")
    assert len(found) == 1
