"""What the owner enters, and what is refused without repeating it."""

import pytest

from messengers.core.credentials import read
from messengers.errors import InvalidInput
from messengers.providers.telegram.config import TelegramConfig, commands_of

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeF"


@pytest.mark.parametrize("token", ["", "x", "123456789", "123456789:short", f"bot{TOKEN}", "a b"])
def test_what_is_no_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(TelegramConfig, {"token": token})

    assert "token" in str(caught.value)
    assert len(token) < 4 or token not in str(caught.value)


def test_a_pasted_token_may_bring_a_line_end_along() -> None:
    config = read(TelegramConfig, {"token": f" {TOKEN}\n"})

    assert isinstance(config, TelegramConfig)
    assert config.token.get_secret_value() == TOKEN
    assert config.link_previews is False


def test_commands_are_read_as_botfather_takes_them() -> None:
    assert commands_of("start - Begin; /help: What I can do\norder – Bread") == [
        ("start", "Begin"),
        ("help", "What I can do"),
        ("order", "Bread"),
    ]


@pytest.mark.parametrize("text", ["Start - x", "start", "start -", "a b - c", "x - y;" * 101])
def test_commands_that_telegram_would_not_take_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="commands"):
        read(TelegramConfig, {"token": TOKEN, "commands": text})
