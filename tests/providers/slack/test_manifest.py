"""The manifests of the documentation page: what they ask for is enough for all that is offered."""

import re
from collections.abc import Sequence

import pytest

from messengers.core.callers import OWNER
from messengers.errors import PlatformRefused
from messengers.models import Lifecycle
from messengers.providers.groups import GroupUpdate
from tests.fakes.slack import Bot, FakeSlack, User, Workspace
from tests.fakes.slack.gatherings import Upload
from tests.programs import ROOT
from tests.providers.slack.conftest import AGENT, Connected, OpenCore, add, becomes, until

PAGE = (ROOT / "docs/providers/slack.md").read_text("utf-8")
BOT, PERSON = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
NOTE = "data:text/plain;base64,b25lIHJ5ZQo="


def listed(manifest: str, key: str) -> Sequence[str]:
    """The list under a key."""
    (block,) = re.findall(rf"^ +{key}:\n((?: +- \S+\n)+)", manifest, re.MULTILINE)
    return re.findall(r"- (\S+)", block)


@pytest.fixture
def alan(slack: FakeSlack, acme: Workspace) -> User:
    return slack.add_user(acme, "alan", "Alan Turing")


async def lacks_nothing(work: Connected) -> None:
    """Neither in its state nor where doctor asks."""
    await work.reaches(Lifecycle.CONNECTED)
    found = await work.core.instances.examine(OWNER)
    assert [each.found for each in found if each.what == "scopes"] == ["None is lacking."]
    assert "lacks" not in work.entry.health.reason


async def hears_everything(work: Connected, alan: User, me: User) -> None:
    """Texts of each kind of conversation, edits, deletions, reactions, files, names."""
    slack, acme, team = work.slack, work.acme, work.team
    closed = slack.add_channel(acme, "closed", alan, me, private=True)
    crew = slack.add_usergroup(acme, "crew", alan)
    slack.write(alan, me, "in private")
    await work.heard(alan.id, "in private")
    slack.write(alan, closed, "behind a door")
    await work.heard(closed.id, "behind a door")
    first = slack.write(alan, team, f"<@{alan.id}> and <!subteam^{crew['id']}> in <#{team.id}>")
    await work.heard(team.id, "@Alan Turing and @crew in #team")
    slack.react(alan, first, "tada")
    await work.message(team.id, lambda each: each.reactions)
    slack.edit(first, "changed")
    await work.heard(team.id, "changed")
    slack.upload(alan, team, Upload("a.txt", b"a file", mime="text/plain"))
    file = await work.message(team.id, lambda each: each.attachments)
    assert await work.provider.download(file.attachments[0], 100) == b"a file"
    slack.rename(closed, alan, "ajar")

    async def renamed() -> bool | None:
        return (await work.chat(closed.id)).name == "#ajar" or None

    await until(renamed)


async def does_everything(work: Connected, alan: User, me: User) -> None:
    """Sends of each kind, changes, and a channel from its making to its leaving."""
    slack, team, core = work.slack, work.team, work.core
    await work.send(alan, "hello")
    sent = await work.send(team, "here", attachments=[NOTE])
    answer = await work.send(team, "in its thread", reply_to=sent.message)
    message = next(each for each in team.visible if each.text == "in its thread")
    for act in (
        await core.changes.prepare_edit(AGENT, answer.message, "in the thread"),
        await core.changes.prepare_react(AGENT, answer.message, "👍"),
        await core.changes.prepare_pin(AGENT, answer.message),
    ):
        await core.approvals.perform(act, 10)
    assert (message.text, list(message.reactions)) == ("in the thread", ["+1"])
    assert slack.asked("pins.add")[0]["timestamp"] == message.ts
    act = await core.changes.prepare_delete(AGENT, answer.message, for_everyone=True)
    await core.approvals.perform(act, 10)
    await work.send(slack.add_channel(work.acme, "open", alan), "I came by myself")

    provider = work.provider
    made = await provider.create_group("Bread", [alan.id])
    await provider.update_group(made.native_id, GroupUpdate(name="bakers", description="All of it"))
    removed = await provider.change_members(made.native_id, "remove", [alan.id])
    seen = await provider.group(made.native_id)
    assert made.native_id in [each.native_id for each in await provider.groups()]
    assert (seen.name, seen.description, removed[0].done) == ("#bakers", "All of it", True)
    assert [each.native_id for each in seen.members] == [me.id]
    with pytest.raises(PlatformRefused, match="Nobody else"):
        await provider.leave_group(made.native_id)
    await provider.change_members(made.native_id, "add", [alan.id])
    await provider.leave_group(made.native_id)


async def test_the_manifest_of_a_bot_is_enough(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, grace: User, alan: User
) -> None:
    app = slack.add_app("Messengers", events=listed(BOT, "bot_events"))
    bot = slack.install(app, acme, listed(BOT, "bot"))
    team = slack.add_channel(acme, "team", alan, bot)
    slack.write(alan, team, "before it came")
    async with reopen() as core:
        await add(slack, core, bot.token)
        work = Connected(slack, core, acme, grace, bot, team)
        await lacks_nothing(work)
        await hears_everything(work, alan, bot.user)
        await does_everything(work, alan, bot.user)
        read = await work.core.history.read(OWNER, await work.chat(team.id), 50)

    assert read.items[0].text == "before it came"


async def test_the_manifest_of_a_person_is_enough(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, grace: User, alan: User, bot: Bot
) -> None:
    app = slack.add_app("Messengers", events=listed(PERSON, "user_events"))
    token = slack.authorize(app, grace, listed(PERSON, "user"))
    team = slack.add_channel(acme, "team", alan, grace)
    slack.write(alan, team, "an enigma")
    async with reopen() as core:
        await add(slack, core, token)
        work = Connected(slack, core, acme, grace, bot, team)
        await lacks_nothing(work)
        await hears_everything(work, alan, grace)
        await does_everything(work, alan, grace)
        found = await work.core.search.messages(AGENT, "enigma")
        await becomes(lambda: slack.asked("search.messages"))

    assert [each.message.text for each in found.items] == ["an enigma"]
