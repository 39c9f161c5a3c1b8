"""Finding providers: ours, third parties', other products' words for them, and broken ones."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from messengers.errors import InvalidInput, NotReady
from messengers.providers.catalog import Catalog

SITE = Path(__file__).parents[1] / "fakes" / "site"
BROKEN = {
    "exploding": "tests.fakes.no_such_module:INFO",
    "hollow": "tests.fakes.echo:MAX_TEXT",
    "renamed": "tests.fakes.echo:INFO",
    "webchat": "tests.fakes.echo:INFO",
    "Bad-Name": "tests.fakes.echo:INFO",
}
Install = Callable[[dict[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a third party's package with these entry points where Python looks for packages."""

    def installed(entry_points: dict[str, str]) -> None:
        folder = tmp_path / "third_party-1.0.dist-info"
        folder.mkdir()
        lines = [f"{name} = {value}" for name, value in entry_points.items()]
        text = "\n".join(["[messengers.providers]", *lines])
        (folder / "entry_points.txt").write_text(text, "utf-8")
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1\n")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    return installed


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setattr(sys, "path", [str(SITE), *sys.path])
    return Catalog()


def test_a_third_party_s_provider_stands_beside_our_own(catalog: Catalog) -> None:
    assert catalog.names()[0] == "webchat"
    assert {"echo", "scripted_bot", "scripted_personal", "webchat"} <= {
        info.name for info in catalog.all()
    }
    assert catalog.provider_class(catalog.find("echo")).__name__ == "EchoProvider"
    assert catalog.broken == {}


@pytest.mark.parametrize("word", ["webchat", " WebChat ", "web-chat", "web chat", "web"])
def test_a_provider_is_found_under_the_words_people_use(catalog: Catalog, word: str) -> None:
    assert catalog.find(word).name == "webchat"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("whatsappweb", "whatsapp_web"),
        ("whatsapp-official", "whatsapp_cloud"),
        ("facebook-messenger", "facebook_messenger"),
        ("WhatsApp", "whatsapp_web"),
    ],
)
def test_another_product_s_word_means_our_provider(word: str, meant: str) -> None:
    catalog = Catalog({meant: "tests.fakes.echo:INFO"})

    assert catalog.find(word) is catalog.find(meant)


def test_an_unknown_provider_is_refused_with_the_known_and_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput) as caught:
        catalog.find("webchart")

    assert "Did you mean webchat?" in caught.value.remedy
    assert "echo" in caught.value.remedy
    assert "webchart" not in str(caught.value)


def test_broken_third_parties_are_reported_and_harm_nothing(install: Install) -> None:
    install(BROKEN)
    catalog = Catalog()

    known = {info.name for info in catalog.all()}

    assert "webchat" in known
    assert not known & {"exploding", "hollow", "renamed", "Bad-Name"}
    assert set(catalog.broken) == set(BROKEN) - {"webchat"} | {"another webchat"}
    assert "ModuleNotFoundError" in catalog.broken["exploding"]
    assert catalog.find("webchat").title == "Web chat"


def test_asking_for_a_broken_one_says_what_is_wrong_with_it(install: Install) -> None:
    install({"exploding": BROKEN["exploding"]})

    with pytest.raises(NotReady) as caught:
        Catalog().find("exploding")

    assert "ModuleNotFoundError" in str(caught.value)


def test_a_missing_engine_is_an_error_with_the_remedy(catalog: Catalog) -> None:
    heavy = replace(catalog.find("echo"), class_path="no_such_engine:Heavy", extra="whatsapp")

    with pytest.raises(NotReady) as caught:
        catalog.provider_class(heavy)

    assert "messengers-mcp[whatsapp]" in caught.value.remedy
