"""The messengers of tests keep the contract that the engine is tested against."""

import pytest

from messengers.providers.base import ProviderInfo
from messengers.providers.capabilities import Level
from tests.fakes.scripted import BOT, PERSONAL, ScriptedProvider


@pytest.mark.parametrize("info", [PERSONAL, BOT], ids=lambda info: info.name)
def test_the_scripted_messenger_declares_exactly_what_it_has(info: ProviderInfo) -> None:
    methods = info.capability_methods
    declared = {each for each in methods if getattr(info.capabilities, each) is not Level.REJECT}

    assert declared == {
        name for name, each in methods.items() if issubclass(ScriptedProvider, each)
    }
