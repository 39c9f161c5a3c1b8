"""What every provider must keep, whoever wrote it."""

import ast
import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.resources import files
from itertools import pairwise
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from messengers.core.credentials import fields_of
from messengers.errors import InvalidInput, MessengersError
from messengers.models import Card, Lifecycle, Location, Poll
from messengers.providers import catalog as catalog_module
from messengers.providers.base import Part, Provider, ProviderInfo
from messengers.providers.capabilities import Level
from messengers.redaction import is_secret_name
from tests.contract.conftest import Build, Shelf
from tests.contract.graphemes import splits_grapheme, units
from tests.contract.subjects import SUBJECTS, Subject
from tests.programs import ROOT

# The provider is the same for every example: none of these functions keeps anything.
each_text = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
words = st.text("abcdefgh АБВё你好", min_size=1, max_size=60)
visible = st.sampled_from(
    [
        "e\u0301",
        "👨‍👩‍👧‍👦",
        "👍🏽",
        "🇱🇻",
        "🇷🇺🇨🇳",
        "1\ufe0f\u20e3",
        "नि",
        "ё",
        "你",
        "a",
        " ",
        "\n",
        "word ",
    ]
)
BOUNDARY = re.compile(r"\s+")


def runs_of(provider_limit: int) -> st.SearchStrategy[str]:
    """Texts of a few parts' length, made of what is easily cut wrong."""
    piece = st.lists(visible, min_size=20, max_size=60).map("".join)
    times = max(1, provider_limit // 60)
    return piece.map(lambda text: (text * times)[: provider_limit * 3])


def test_a_level_is_declared_exactly_where_the_method_is(
    provider: Provider, info: ProviderInfo
) -> None:
    declared = {
        name
        for name in info.capability_methods
        if getattr(provider.capabilities(), name) is not Level.REJECT
    }
    built = {
        name for name, protocol in info.capability_methods.items() if isinstance(provider, protocol)
    }

    assert declared == built


def test_the_declaration_says_what_the_provider_is(
    provider: Provider, info: ProviderInfo, subject: Subject
) -> None:
    assert isinstance(provider, Provider)
    assert info.name == subject.name
    assert provider.capabilities() == info.capabilities
    assert provider.capabilities(subject.chat).max_text <= info.capabilities.max_text
    assert info.title
    assert info.summary.endswith(".")
    assert info.setup.endswith(".")
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in info.endpoints)


def test_the_declaration_does_not_import_the_engine(info: ProviderInfo) -> None:
    package = info.class_path.partition(":")[0].rpartition(".")[0]
    engine = info.class_path.partition(":")[0]
    declared_in_engine = info.config.__module__ == engine
    code = f"import {package}, sys; print({engine!r} in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert declared_in_engine or done.stdout.strip() == "False"


def test_a_recipient_is_understood_strictly(provider: Provider, subject: Subject) -> None:
    for text, native_id in subject.targets.items():
        assert provider.parse_target(text) == native_id
    for text in ("", " ", "Anna Petrova", "anna", "c1f", "hello world"):
        assert provider.parse_target(text) is None


def test_an_id_of_another_provider_is_refused_with_a_hint(
    provider: Provider, subject: Subject
) -> None:
    for text in subject.foreign:
        with pytest.raises(InvalidInput) as caught:
            provider.parse_target(text)
        assert caught.value.remedy
        assert text not in str(caught.value)


@each_text
@given(text=st.text(max_size=80))
def test_any_text_is_a_recipient_none_or_refused(provider: Provider, text: str) -> None:
    try:
        found = provider.parse_target(text)
    except InvalidInput:
        return
    assert found is None or found.strip() == found != ""


@each_text
@given(data=st.data())
def test_every_part_fits_and_no_visible_character_is_cut(
    provider: Provider, data: st.DataObject
) -> None:
    limits = provider.capabilities()
    text = data.draw(runs_of(limits.max_text))

    parts = list(provider.render(text))

    assert all(part.strip() for part in parts)
    assert all(units(part, limits.text_unit) <= limits.max_text for part in parts)
    assert not [pair for pair in pairwise(parts) if splits_grapheme(*pair)]


@each_text
@given(data=st.data())
def test_no_word_is_lost_in_rendering(provider: Provider, data: st.DataObject) -> None:
    limit = provider.capabilities().max_text
    text = data.draw(words) * data.draw(st.integers(1, max(1, limit // 20)))

    parts = list(provider.render(text))

    assert BOUNDARY.sub("", "".join(parts)) == BOUNDARY.sub("", text)


@each_text
@given(
    mark=st.sampled_from(["```", "~~~", "````"]),
    lines=st.lists(st.text("abc =()", max_size=70), min_size=1, max_size=12),
    before=words,
    times=st.integers(1, 40),
)
def test_a_code_fence_stays_whole_in_every_part(
    provider: Provider, mark: str, lines: list[str], before: str, times: int
) -> None:
    code = "\n".join(lines * times)

    parts = provider.render(f"{before}\n{mark}python\n{code}\n{mark}\nafter")

    fences = [re.findall(r"^(?:`{3,}|~{3,})", part, re.MULTILINE) for part in parts]
    assert all(len(found) % 2 == 0 for found in fences)
    assert all(
        units(p, provider.capabilities().text_unit) <= provider.capabilities().max_text
        for p in parts
    )


def test_nothing_renders_as_nothing(provider: Provider) -> None:
    assert [list(provider.render(text)) for text in ("", "  ", "\n\n")] == [[], [], []]


@pytest.mark.usefixtures("world")
async def test_it_runs_until_cancelled_and_then_ends_within_two_seconds(provider: Provider) -> None:
    shelf, ended = Shelf(), anyio.Event()

    async def run() -> None:
        try:
            await provider.run(shelf)
        finally:
            ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        with anyio.fail_after(15):
            await shelf.connected.wait()
        assert not ended.is_set()
        with anyio.fail_after(2):
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await ended.wait()

    assert shelf.states[0].lifecycle is not Lifecycle.STOPPED


@pytest.mark.usefixtures("world")
async def test_it_runs_again_after_it_was_cancelled(provider: Provider) -> None:
    for _ in range(2):
        shelf = Shelf()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(provider.run, shelf)
            with anyio.fail_after(15):
                await shelf.connected.wait()
            tasks.cancel_scope.cancel()


@pytest.mark.usefixtures("world")
async def test_what_arrives_is_ingested_and_understood_the_same_each_time(
    provider: Provider, build: Build, subject: Subject
) -> None:
    shelf = Shelf()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, shelf)
        with anyio.fail_after(15):
            await shelf.connected.wait()
            await subject.arrive(provider)
            await shelf.arrived.wait()
        tasks.cancel_scope.cancel()

    for _, kind, payload in shelf.events.values():
        understood = provider.translate(kind, payload)
        assert understood
        assert provider.translate(kind, payload) == understood
        assert build().translate(kind, payload) == understood


@each_text
@given(kind=st.text(max_size=10), payload=st.binary(max_size=60))
def test_what_it_cannot_understand_is_nothing_or_a_plain_error(
    provider: Provider, kind: str, payload: bytes
) -> None:
    understood: list[object] = []
    with suppress(MessengersError):
        understood += provider.translate(kind, payload)

    assert understood == []


@pytest.mark.usefixtures("world")
async def test_the_same_key_is_the_same_message(provider: Provider, subject: Subject) -> None:
    if not provider.capabilities().reuses_key:
        pytest.skip("its platform knows no key of ours")
    shelf, native_ids = Shelf(), list[str]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, shelf)
        with anyio.fail_after(15):
            await shelf.connected.wait()
            for key in ("k1", "k1", "k2"):
                native_ids.append(
                    (await provider.send(subject.chat, Part(text="hi"), key)).native_id
                )
        tasks.cancel_scope.cancel()

    assert native_ids[0] == native_ids[1] != ""
    assert native_ids[2] != native_ids[0]


@pytest.mark.usefixtures("world")
async def test_what_it_declares_beside_text_and_files_it_sends(
    provider: Provider, subject: Subject
) -> None:
    able = provider.capabilities()
    options = tuple(str(number) for number in range(able.max_poll_options))
    parts = [Part(poll=Poll(question="Which?", options=options))] if options else []
    if able.rich is not Level.REJECT:
        place = Location(latitude_deg=56.9, longitude_deg=24.1)
        parts += [Part(location=place), Part(contact=Card(name="Ann", phone="+37120000001"))]
    if not parts:
        pytest.skip("its platform has only text and files")
    shelf, native_ids = Shelf(), set[str]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, shelf)
        with anyio.fail_after(15):
            await shelf.connected.wait()
            for number, part in enumerate(parts):
                sent = await provider.send(subject.chat, part, f"rich{number}")
                native_ids.add(sent.native_id)
        tasks.cancel_scope.cancel()

    assert "" not in native_ids
    assert len(native_ids) == len(parts)


def test_every_field_of_the_config_is_documented_and_closed(info: ProviderInfo) -> None:
    undocumented = [
        name for name, field in info.config.model_fields.items() if not field.description
    ]

    assert undocumented == []
    assert info.config.model_config.get("extra") == "forbid"
    assert [
        field.name for field in fields_of(info.config) if field.required and field.default
    ] == []


def test_secrets_are_secret_and_endpoints_are_elsewhere(info: ProviderInfo) -> None:
    secret_like = {name for name in info.config.model_fields if is_secret_name(name)}
    secret = {field.name for field in fields_of(info.config) if field.kind == "secret"}
    urls = [
        n for n in info.config.model_fields if re.search(r"(^|_)(url|endpoint|proxy|host)s?$", n)
    ]

    assert secret_like <= secret
    assert urls == []


def test_no_secret_stands_in_the_config_s_words(info: ProviderInfo) -> None:
    secret = [field.name for field in fields_of(info.config) if field.kind == "secret"]
    canary: dict[str, Any] = {name: SecretStr("canary-canary") for name in secret}

    config = info.config.model_construct(None, **canary)

    assert "canary-canary" not in f"{config!r} {config}"


def test_media_limits_are_whole(provider: Provider) -> None:
    families = {"image": "image/", "video": "video/", "audio": "audio/", "voice": "audio/"}
    for kind, limit in provider.capabilities().media.items():
        assert limit.max_bytes > 0
        assert limit.mimes
        assert 0 <= limit.max_caption <= provider.capabilities().max_text
        assert all(mime.startswith(families.get(kind, "")) for mime in limit.mimes)


BUILT_IN = sorted(
    each.name
    for each in files("messengers.providers").iterdir()
    if each.is_dir() and each.joinpath("limits.py").is_file()
)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_numbers_of_a_built_in_provider_have_a_source(name: str) -> None:
    source = files("messengers.providers").joinpath(name, "limits.py").read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""

    assert "http" in source or "our own" in docstring


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_provider_says_how_good_it_is(name: str) -> None:
    text = files("messengers.providers").joinpath(name, "quality.toml").read_text("utf-8")
    tables: dict[str, dict[str, dict[str, str]]] = tomllib.loads(text)
    rules = {f"{t}.{rule}": v for t, verdicts in tables.items() for rule, v in verdicts.items()}

    unclear = {
        rule: verdict
        for rule, verdict in rules.items()
        if verdict.get("status") not in ("done", "todo", "exempt")
        or (verdict["status"] == "exempt" and not verdict.get("reason"))
    }

    assert rules
    assert unclear == {}


def test_every_built_in_provider_is_under_this_suite() -> None:
    assert {*BUILT_IN, *catalog_module.BUILT_IN} <= {subject.name for subject in SUBJECTS}
