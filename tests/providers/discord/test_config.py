"""What the owner enters, and what is refused without repeating it."""

import pytest

from messengers.core.credentials import read
from messengers.errors import InvalidInput
from messengers.providers.discord.config import DiscordConfig
from tests.contract.discord import TOKEN


@pytest.mark.parametrize("token", ["", "x", "123456789", "a.b.c", f"Bot {TOKEN}", TOKEN[:30]])
def test_what_is_no_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(DiscordConfig, {"token": token})

    assert "token" in str(caught.value)
    assert len(token) < 6 or token not in str(caught.value)


def test_a_pasted_token_may_bring_a_line_end_along() -> None:
    config = read(DiscordConfig, {"token": f" {TOKEN}\n"})

    assert isinstance(config, DiscordConfig)
    assert config.token.get_secret_value() == TOKEN
    assert config.link_previews is False
