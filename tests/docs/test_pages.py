"""README and docs say what exists: every link, setting, tool, provider and table."""

import re
import tomllib
from pathlib import Path

import pytest

from messengers.mcp_server.table import TABLE
from messengers.providers.catalog import BUILT_IN, Catalog
from messengers.settings import PREFIX, Settings
from tests.docs import tables
from tests.programs import ROOT

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*.md"),
        *(ROOT / "mcp-config").glob("*.md"),
    ]
)
TOOLS = {row.name for row in TABLE}
STATUSES = {"done", "todo", "exempt"}
# Variables of ours that are no settings: where a client keeps a key.
OTHER_VARIABLES = {"MESSENGERS_API_KEY"}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]

    missing = [each for each in targets if not (page.parent / each.partition("#")[0]).exists()]

    assert missing == []


@pytest.mark.parametrize("page", tables.pages(), ids=named)
def test_tables_are_those_of_the_code(page: Path) -> None:
    text = page.read_text("utf-8")

    assert text == tables.rendered(text), "run `python -m tests.docs.tables`"


def test_every_table_stands_somewhere() -> None:
    text = "".join(page.read_text("utf-8") for page in tables.pages())

    assert {name for name in tables.TABLES if f"<!-- table: {name} -->" not in text} == set()


def test_every_tool_is_described_in_words() -> None:
    prose = re.sub(r"<!-- table.*?<!-- end -->", "", read("docs/tools.md"), flags=re.DOTALL)

    assert {name for name in TOOLS if f"`{name}`" not in prose} == set()


def test_no_page_names_a_tool_that_does_not_exist() -> None:
    parameters = {name for row in TABLE for name in row.parameters}
    verbs = "|".join({name.partition("_")[0] for name in TOOLS if "_" in name})
    shape = re.compile(rf"`((?:{verbs})_[a-z_]+)`")
    found = {name for page in PAGES for name in shape.findall(page.read_text("utf-8"))}

    assert found - TOOLS - parameters == set()


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    found = {
        name
        for page in PAGES
        for name in re.findall(rf"\b{PREFIX}[A-Z_]+", page.read_text("utf-8"))
    }

    assert found - known == set()


@pytest.mark.parametrize("provider", BUILT_IN)
def test_every_provider_has_its_page_and_its_quality(provider: str) -> None:
    info = Catalog().find(provider)
    page = read(info.docs)
    rules = [rule for section in tables.quality(provider).values() for rule in section.values()]

    assert info.docs == f"docs/providers/{provider}.md"
    assert f"messengers instances add {provider} " in page
    assert rules
    assert {rule["status"] for rule in rules} <= STATUSES
    assert [rule for rule in rules if rule["status"] != "done" and not rule.get("reason")] == []


@pytest.mark.parametrize("provider", BUILT_IN)
def test_every_option_of_a_provider_stands_on_its_page(provider: str) -> None:
    info = Catalog().find(provider)
    page = read(info.docs)

    assert [name for name in info.config.model_fields if f"`{name}`" not in page] == []


def test_toml_examples_are_settings_of_ours() -> None:
    blocks = [
        tomllib.loads(block)
        for page in PAGES
        for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    settings = [block for block in blocks if "project" not in block]

    assert settings
    for block in settings:
        Settings.model_validate(block)


def test_the_changelog_keeps_its_form_and_says_what_is_new() -> None:
    text = read("CHANGELOG.md")
    fresh = text.partition("## [Unreleased]")[2].partition("\n## [")[0]

    assert "keepachangelog.com" in text
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= {
        *("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
    }
    assert [name for name in BUILT_IN if f"`{name}`" not in fresh and f"`{name}`" not in text] == []
    assert fresh.count("\n- ") >= 3


def test_readers_are_not_kept_long() -> None:
    lengths = {name: len(read(name).splitlines()) for name in ("AGENTS.md", "CONTRIBUTING.md")}

    assert lengths["AGENTS.md"] <= 150
    assert lengths["CONTRIBUTING.md"] <= 100


def test_pictures_are_small_enough_to_clone() -> None:
    sizes = {
        named(picture): picture.stat().st_size
        for picture in (ROOT / "docs" / "images").iterdir()
        if picture.stat().st_size > 200_000
    }

    assert sizes == {}
