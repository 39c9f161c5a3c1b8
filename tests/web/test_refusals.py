"""Refusals as they leave: readable to a person, without a secret."""

import orjson
import pytest

from messengers.core.credentials import read
from messengers.errors import InvalidInput
from messengers.providers.webchat.config import WebchatConfig
from messengers.redaction import MASK, register_secret
from messengers.web.refusals import error_response
from tests.fakes.scripted import ScriptedConfig


def said(error: InvalidInput) -> dict[str, str]:
    return orjson.loads(bytes(error_response(error).body))["error"]


@pytest.mark.parametrize("value", ["@FILE", "@-"])
def test_a_remedy_says_what_to_type(value: str) -> None:
    remedy = f"Write `messengers instances connect shop --set token={value}`."

    assert said(InvalidInput("It needs a token.", remedy))["remedy"] == remedy


@pytest.mark.case("S65")
def test_no_secret_stands_in_either_sentence() -> None:
    register_secret("correct-horse")
    bot = "7012345678:AAFxK9-_qxK9-_qxK9-_q"

    body = said(InvalidInput(f"token=hunter22 and {bot}.", f"Not correct-horse, and not {bot}."))

    assert body == {
        "code": "invalid_input",
        "cause": f"token={MASK} and {MASK}.",
        "remedy": f"Not {MASK}, and not {MASK}.",
    }


def test_a_credential_that_does_not_fit_is_named_with_the_reason() -> None:
    with pytest.raises(InvalidInput) as raised:
        read(ScriptedConfig, {"token": "hunter22", "greeting": "x" * 51})
    assert said(raised.value)["cause"] == (
        "greeting does not fit (String should have at most 50 characters)."
    )

    with pytest.raises(InvalidInput) as raised:
        read(ScriptedConfig, {"greeting": "hello"})
    assert said(raised.value)["cause"] == "token does not fit (Field required)."


def test_a_pattern_is_told_in_the_words_of_its_field() -> None:
    with pytest.raises(InvalidInput) as raised:
        read(WebchatConfig, {"accent": "crimson"})

    assert raised.value.cause == "accent does not fit (The page's colour as `#rrggbb`)."
    assert "crimson" not in str(raised.value)
