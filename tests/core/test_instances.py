"""Setting instances up, changing and removing them: what is stored, told, and who must agree."""

import os
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from messengers.core.acts import Act, Answer, InstanceAnswer
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import ChatFilter
from messengers.core.core import open_core
from messengers.core.roster import check_name
from messengers.errors import Conflict, Forbidden, InvalidInput, NotConnected, NotFound
from messengers.models import Lifecycle
from messengers.settings import Settings
from tests.core.conftest import AGENT, House, OpenHouse
from tests.fakes.scripted import platform

CANARY = "canary-7f3a9c-secret"


async def _perform(house: House, act: Act) -> InstanceAnswer:
    return _instance(await house.core.approvals.perform(act))


def _instance(answer: Answer) -> InstanceAnswer:
    assert isinstance(answer, InstanceAnswer)
    return answer


def _tables(home: Path) -> str:
    """Everything the database holds, as text."""
    with sqlite3.connect(home / "messengers.db") as database:
        return "\n".join(database.iterdump())


async def test_a_new_instance_connects_and_says_what_to_do(house: House) -> None:
    answer = await house.core.instances.create(OWNER, "webchat", "shop")

    assert (answer.outcome, answer.state, answer.provider) == ("done", "connected", "webchat")
    assert answer.link == "http://127.0.0.1:3000/chat/shop"
    assert answer.link in answer.next_step
    view = await house.core.instances.get(OWNER, "shop")
    assert view.page == answer.link
    assert view.instance.kind == "bot"
    assert (await house.core.instances.get(OWNER, view.instance.id)) == view
    assert [v.instance.name for v in await house.core.instances.list(OWNER, "web-chat")] == ["shop"]


@pytest.mark.case("S40")
@pytest.mark.parametrize(
    "name",
    [
        "", " ", "../a", "./telegram", "a/b", "a\\b", "a\0", "CON", "con", "nul", "com1", "lpt9",
        "Shop", "sho p", "x" * 49, "x" * 300, "-a", "_a", "a.b", "магазин", "shop\n", "％2e",
        "4b7a4b4e-9d4a-4f5e-8a36-0d2f5a1c7b11", "4b7a4b4e9d4a4f5e8a360d2f5a1c7b11",
    ],
)  # fmt: skip
async def test_what_is_no_name_is_refused_and_touches_no_path(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name)

    assert not name.strip() or len(name) < 4 or name not in str(caught.value)


@pytest.mark.case("S40")
async def test_no_name_or_id_reaches_outside_the_data_directory(
    house: House, tmp_path: Path
) -> None:
    before = os.listdir(tmp_path)

    for ref in ("../a", "..", "a/../../b", "\0", "CON", "x" * 300, "ME"):
        with pytest.raises(NotFound):
            house.core.instances.resolve(OWNER, ref)
        with pytest.raises(InvalidInput):
            await house.core.instances.create(OWNER, "webchat", ref)
        with pytest.raises(NotFound):
            await house.core.instances.delete(OWNER, ref, purge=True)

    assert os.listdir(tmp_path) == before


@pytest.mark.parametrize("name", ["a", "7", "shop-2_x", "x" * 48, "consul", "c1f"])
def test_ordinary_names_are_taken(name: str) -> None:
    check_name(name)


async def test_a_name_is_used_once(house: House) -> None:
    with pytest.raises(Conflict):
        await house.core.instances.create(OWNER, "webchat", "me")
    with pytest.raises(Conflict):
        await house.core.instances.prepare_create(AGENT, "webchat", "me")
    with pytest.raises(Conflict):
        await house.core.instances.rename(OWNER, "bot", "me")


@pytest.mark.case("S63")
async def test_secrets_are_sealed_to_their_row_and_stand_nowhere_else(
    house: House, tmp_path: Path
) -> None:
    values = {"token": CANARY, "greeting": "moin"}
    made = await house.core.instances.create(OWNER, "scripted_bot", "shop", values)

    text = _tables(tmp_path / "home")

    assert CANARY not in text
    assert CANARY.encode().hex() not in text.lower()
    assert "moin" not in text
    assert CANARY not in repr(await house.core.instances.get(OWNER, "shop"))
    assert CANARY not in made.model_dump_json()
    assert CANARY not in repr(house.core.instances.registry.by_name("shop"))


@pytest.mark.case("S63")
async def test_a_secret_moved_to_another_instance_does_not_open(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    async with open_house() as house:
        me, bot = (house.core.instances.by_name(name).id for name in ("me", "bot"))

    with sqlite3.connect(tmp_path / "home" / "messengers.db") as database:
        database.execute(
            "UPDATE credential SET ciphertext = (SELECT ciphertext FROM credential"
            " WHERE instance_id = ? AND field = 'token') WHERE instance_id = ? AND field = 'token'",
            (me, bot),
        )
    settings = Settings(home=tmp_path / "home")
    async with open_core(settings) as core:
        view = await core.instances.get(OWNER, "bot")
        assert view.health.lifecycle is Lifecycle.ERROR
        assert "does not open" in view.health.reason
        with pytest.raises(NotConnected):
            core.instances.provider_for_parsing(bot)
        other = core.instances.registry.by_name("me")
        await core.supervisor.until(other, lambda h: h.lifecycle is Lifecycle.CONNECTED, 5)
        assert other.health.lifecycle is Lifecycle.CONNECTED


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"token": "t", "greeting": "x" * 51}, "greeting"),
        ({"token": "t", "greetin": CANARY}, "greeting"),
        ({"token": f"a\0{CANARY}"}, "token"),
        ({"token": "\ud800" + CANARY}, "token"),
        ({"token": CANARY * 5_000}, "token"),
        ({"greeting": CANARY}, "token"),
    ],
)
async def test_what_does_not_fit_is_named_without_its_value(
    house: House, values: Mapping[str, str], named: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await house.core.instances.create(OWNER, "scripted_bot", "shop", values)

    assert named in str(caught.value)
    assert CANARY not in str(caught.value)
    assert all(view.instance.name != "shop" for view in await house.core.instances.list(OWNER))


async def test_blanks_around_a_pasted_token_are_dropped(house: House) -> None:
    await house.core.instances.create(OWNER, "scripted_bot", "shop", {"token": " tok-4f1c-p\n"})

    assert platform("tok-4f1c-p").runs == 1


async def test_an_agent_s_set_up_waits_for_the_owner_and_then_advises_rotation(
    house: House, tmp_path: Path
) -> None:
    values = {"token": CANARY, "greeting": "moin"}
    act = await house.core.instances.prepare_create(AGENT, "scripted_bot", "shop", values)
    assert act.needs_approval
    assert act.shown.recipient == "shop"
    assert CANARY not in act.shown.model_dump_json()
    assert "greeting: moin" in act.shown.text

    held = await _perform(house, act)

    assert held.outcome == "needs_approval"
    assert (await _perform(house, act)).approval == held.approval
    assert house.core.instances.name_of("shop") == ""
    assert CANARY not in _tables(tmp_path / "home")
    done = _instance(await house.core.approvals.decide(held.approval, "once", "owner"))
    assert (done.outcome, done.state) == ("done", "connected")
    assert "make a new one" in done.notes[0]
    assert CANARY not in _tables(tmp_path / "home")


async def test_a_rejected_set_up_leaves_nothing(house: House) -> None:
    act = await house.core.instances.prepare_create(AGENT, "webchat", "shop")
    held = await _perform(house, act)

    done = _instance(await house.core.approvals.decide(held.approval, "reject", "owner"))

    assert (done.outcome, done.instance) == ("not_done", "shop")
    with pytest.raises(NotFound):
        house.core.instances.by_name("shop")


async def test_without_its_secret_a_form_is_offered_instead_of_asking_in_the_chat(
    house: House,
) -> None:
    act = await house.core.instances.prepare_create(
        AGENT, "scripted_bot", "shop", {"greeting": "moin"}
    )

    answer = await _perform(house, act)

    assert answer.outcome == "needs_form"
    assert answer.link.startswith("http://127.0.0.1:3000/forms/")
    assert answer.link in answer.next_step
    assert "`messengers instances add scripted_bot shop --set token=@-`" in answer.next_step
    form = house.core.forms.take(answer.link.rpartition("/")[2])
    assert form is not None
    assert (form.provider, form.name, dict(form.given)) == (
        "scripted_bot", "shop", {"greeting": "moin"},
    )  # fmt: skip


async def test_the_owner_sets_up_without_being_asked(house: House) -> None:
    act = await house.core.instances.prepare_create(OWNER, "webchat", "shop")

    assert not act.needs_approval
    assert (await _perform(house, act)).notes == ()


async def test_stopping_and_removing_ask_by_the_instance_s_policy(house: House) -> None:
    instances = house.core.instances
    asks = [
        await instances.prepare_disconnect(AGENT, "me"),
        await instances.prepare_delete(AGENT, "me", purge=True),
    ]
    await instances.set_policy(OWNER, "me", confirm="never")
    free = [
        await instances.prepare_disconnect(AGENT, "me"),
        await instances.prepare_delete(AGENT, "me"),
    ]

    assert [act.needs_approval for act in (*asks, *free)] == [True, True, False, False]
    assert all(act.why for act in asks)
    assert "Erases 0 messages" in asks[1].shown.text
    assert not (await instances.prepare_disconnect(OWNER, "bot")).needs_approval


async def test_the_direct_forms_are_the_owner_s(house: House) -> None:
    instances = house.core.instances
    for attempt in (
        instances.create(AGENT, "webchat", "shop"),
        instances.update(AGENT, "me", {}),
        instances.disconnect(AGENT, "me"),
        instances.delete(AGENT, "me"),
        instances.rename(AGENT, "me", "you"),
        instances.set_policy(AGENT, "me", confirm="never"),
    ):
        with pytest.raises(Forbidden):
            await attempt


async def test_disconnecting_is_remembered_and_sending_says_so(open_house: OpenHouse) -> None:
    async with open_house() as house:
        act = await house.core.instances.prepare_disconnect(OWNER, "bot")
        answer = await _perform(house, act)
        assert answer.state == "stopped"
        bot = house.core.instances.by_name("bot")
        with pytest.raises(NotConnected) as caught:
            house.core.instances.provider(bot.id)
        assert "connect_instance" in caught.value.remedy
        assert house.core.instances.provider_for_parsing(bot.id).parse_target("x:1") == "1"

        again = await house.core.instances.connect(AGENT, "bot")

        assert (again.outcome, again.state) == ("done", "connected")
        assert house.core.instances.by_name("bot").wanted == "connected"


async def test_an_instance_that_a_caller_may_not_see_does_not_exist_for_it(house: House) -> None:
    instances = house.core.instances
    me, bot = instances.by_name("me"), instances.by_name("bot")
    narrow = Caller("k1", instances=frozenset({me.id}))

    assert [view.instance.name for view in await instances.list(narrow)] == ["me"]
    with pytest.raises(NotFound) as hidden:
        instances.resolve(narrow, "bot")
    with pytest.raises(NotFound) as unknown:
        instances.resolve(narrow, "nothing")
    assert str(hidden.value) == str(unknown.value)
    assert "bot" not in str(hidden.value)
    with pytest.raises(NotFound):
        instances.resolve(narrow, bot.id)
    assert instances.visible(narrow) == (me.id,)
    assert instances.visible(narrow, "me") == (me.id,)
    assert instances.visible(OWNER) is None


async def test_a_new_name_holds_for_messages_and_after_a_restart(open_house: OpenHouse) -> None:
    async with open_house() as house:
        await house.bot.say("hello")
        await house.told("hello", "bot")
        view = await house.core.instances.rename(OWNER, "bot", "robot")
        assert view.instance.name == "robot"
        entry = house.core.instances.registry.by_name("robot")
        await house.core.supervisor.until(entry, lambda h: h.lifecycle is Lifecycle.CONNECTED, 5)
        assert house.bot.runs == 2
        chats = await house.core.chats.list(OWNER, ChatFilter(instance="robot"))
        assert [chat.instance for chat in chats.items] == ["robot"]
        with pytest.raises(NotFound):
            house.core.instances.resolve(OWNER, "bot")
        await house.core.instances.rename(OWNER, "robot", "bot")

    async with open_house() as house:
        since = house.core.instances.by_name("bot").history_since
        assert since is not None
        assert (await house.core.instances.get(OWNER, "bot")).instance.history_since == since


async def test_history_begins_with_the_oldest_message_whenever_it_comes(house: House) -> None:
    await house.bot.say("later", minute=30)
    await house.told("later", "bot")
    later = (await house.core.instances.get(OWNER, "bot")).instance.history_since
    await house.bot.say("earlier", minute=10)
    await house.told("earlier", "bot")

    earlier = (await house.core.instances.get(OWNER, "bot")).instance.history_since

    assert later is not None
    assert earlier == later - timedelta(minutes=20)
    assert house.core.instances.by_name("me").history_since is None


async def test_policies_are_kept(open_house: OpenHouse) -> None:
    async with open_house() as house:
        view = await house.core.instances.set_policy(OWNER, "me", confirm="always", read_only=True)
        assert (view.instance.confirm, view.instance.read_only) == ("always", True)

    async with open_house() as house:
        me = house.core.instances.by_name("me")
        assert (me.confirm, me.read_only) == ("always", True)


async def test_endpoints_are_the_owner_s_and_the_provider_s_own(house: House) -> None:
    create = house.core.instances.create
    good = {"api": "http://127.0.0.1:8081/bot"}

    await create(OWNER, "scripted_bot", "shop", {"token": "t1"}, endpoints=good)

    entry = house.core.instances.registry.by_name("shop")
    assert entry.endpoints == good
    for bad in (
        {"file": "http://x"},
        {"api": "file:///etc"},
        {"api": "http://u:p@x"},
        {"api": "x"},
    ):
        with pytest.raises(InvalidInput):
            await create(OWNER, "scripted_bot", "other", {"token": "t2"}, endpoints=bad)


async def test_a_removed_instance_frees_its_name_and_keeps_its_messages_readable(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    async with open_house() as house:
        await house.bot.say("hello")
        message = await house.told("hello", "bot")
        bot = house.core.instances.by_name("bot")
        session = tmp_path / "home" / "instances" / bot.id
        session.mkdir(parents=True)
        (session / "session.db").write_bytes(b"session")

        answer = await house.core.instances.delete(OWNER, "bot")

        assert answer.state == "removed"
        assert not session.exists()
        assert all(v.instance.name != "bot" for v in await house.core.instances.list(OWNER))
        new = await house.core.instances.create(OWNER, "webchat", "bot")
        assert new.id != bot.id
        detail = await house.core.history.get(OWNER, message.id)
        assert detail.chat.instance == f"bot (removed {bot.id[:8]})"
        assert detail.chat.instance in answer.notes[0]
        with pytest.raises(NotConnected):
            house.core.instances.provider(bot.id)
        with pytest.raises(NotConnected):
            await house.core.instances.connect(OWNER, bot.id)
        with pytest.raises(Conflict):
            await house.core.instances.delete(OWNER, bot.id)
        with pytest.raises(Conflict):
            await house.core.instances.prepare_delete(OWNER, bot.id)
        assert "removed" in (await house.core.instances.get(OWNER, bot.id)).next_step

    with sqlite3.connect(tmp_path / "home" / "messengers.db") as database:
        held = database.execute("SELECT count(*) FROM credential WHERE instance_id=?", (bot.id,))
        assert held.fetchone() == (0,)


async def test_what_speaks_against_an_account_is_said_before_and_when_it_is_set_up(
    house: House,
) -> None:
    caution = "Scripted does not allow programs: it may close the account."
    given = {"token": uuid4().hex}

    act = await house.core.instances.prepare_create(AGENT, "scripted_scanned", "phone", given)
    asked = await house.core.approvals.perform(act)
    by_agent = await house.core.approvals.decide(asked.approval, "once", "owner", 5)
    by_owner = await house.core.instances.create(OWNER, "scripted_scanned", "other", given)
    plain = await house.core.instances.create(OWNER, "webchat", "page")

    assert caution in act.shown.why
    assert isinstance(by_agent, InstanceAnswer)
    assert caution in by_agent.notes
    assert by_owner.notes == (caution,)
    assert plain.notes == ()
    assert house.core.instances.by_name("other").pacing == "normal"


async def test_a_purge_erases_messages_files_words_and_session(
    house: House, tmp_path: Path
) -> None:
    bot = house.core.instances.by_name("bot")
    me = house.core.instances.by_name("me")
    for number in range(3):
        await house.bot.say(f"pelican {number}", id_=f"n{number}")
    await house.told("pelican 2", "bot")
    await house.personal.say("pelican mine")
    mine = await house.told("pelican mine", "me")
    shared = await house.core.media.store(bot.id, None, b"shared text", "a.txt")
    await house.core.media.store(me.id, None, b"shared text", "b.txt")
    await house.core.media.store(bot.id, None, b"only here", "c.txt")
    assert shared.media

    act = await house.core.instances.prepare_delete(OWNER, "bot", purge=True)
    answer = await _perform(house, act)

    assert "Erases 3 messages in 1 chat for" in act.shown.text
    assert "erased" in answer.notes[0]
    with pytest.raises(NotFound):
        house.core.instances.by_id(bot.id)
    assert house.core.instances.name_of(bot.id) == ""
    found = await house.core.search.messages(OWNER, "pelican")
    assert [hit.message.id for hit in found.items] == [mine.id]
    stored = [
        path.read_bytes() for path in (tmp_path / "home" / "media").rglob("*") if path.is_file()
    ]
    assert stored == [b"shared text"]
    text = _tables(tmp_path / "home")
    assert "pelican 1" not in text
    assert text.count(bot.id) == text.count(f"'{bot.id}',NULL,NULL")  # the audit log alone


async def test_a_purge_that_was_cut_short_is_finished_at_the_next_start(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    async with open_house() as house:
        await house.bot.say("pelican")
        await house.told("pelican", "bot")
        bot = house.core.instances.by_name("bot")
        await house.core.instances.delete(OWNER, "bot")
        with sqlite3.connect(tmp_path / "home" / "messengers.db") as database:
            purge = '{"purge":true}'
            database.execute("UPDATE instance SET policies=? WHERE id=?", (purge, bot.id))

    async with open_house() as house:
        assert house.core.instances.name_of(bot.id) == ""
        assert (await house.core.search.messages(OWNER, "pelican")).items == ()


async def test_a_removed_one_can_be_purged_later(house: House) -> None:
    bot = house.core.instances.by_name("bot")
    await house.core.instances.delete(OWNER, "bot")

    await house.core.instances.delete(OWNER, f"bot (removed {bot.id[:8]})", purge=True)

    assert house.core.instances.name_of(bot.id) == ""


async def test_what_is_no_longer_installed_is_shown_with_the_remedy(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    async with open_house():
        pass
    with sqlite3.connect(tmp_path / "home" / "messengers.db") as database:
        database.execute("UPDATE instance SET provider='vanished' WHERE name='bot'")

    async with open_core(Settings(home=tmp_path / "home")) as core:
        view = await core.instances.get(OWNER, "bot")

        assert view.health.lifecycle is Lifecycle.ERROR
        assert view.capabilities.max_text == 0
        assert "`messengers doctor`" in view.next_step
        answer = await core.instances.connect(OWNER, "bot")
        assert answer.outcome == "not_done"
        with pytest.raises(NotConnected):
            await core.instances.update(OWNER, "bot", {"token": "t"})


@pytest.mark.skipif(os.name != "posix", reason="no modes of this kind")
async def test_instances_leave_no_file_open_to_others(house: House, tmp_path: Path) -> None:
    await house.core.instances.create(OWNER, "webchat", "shop")

    open_to_others = [
        path for path in (tmp_path / "home").rglob("*") if path.stat().st_mode & 0o077
    ]

    assert open_to_others == []
