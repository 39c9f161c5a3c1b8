"""A provider's config model as fields of a form, and what people type read into it."""

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from messengers.core.credentials import fields_of, missing, plain, read, secret_names
from messengers.errors import InvalidInput

CANARY = "canary-7f3a9c-secret"


class Account(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    token: SecretStr
    """What the messenger
    gave you."""
    app_secret: SecretStr | None = None
    """Only for apps."""
    mode: Literal["poll", "push"] = "poll"
    """How it receives."""
    retries: int = Field(default=3, title="Attempts", ge=0)
    """How often."""
    quiet: bool = True
    """Says less."""
    nickname: str | None = None
    """Shown to others."""

    @field_validator("nickname")
    @classmethod
    def _no_spaces(cls, value: str | None) -> str | None:
        if value and " " in value:
            raise ValueError(f"{value!r} has spaces")
        return value


def test_fields_carry_what_a_form_shows() -> None:
    shown = [(f.name, f.title, f.kind, f.required, f.default) for f in fields_of(Account)]

    assert shown == [
        ("token", "Token", "secret", True, ""),
        ("app_secret", "App secret", "secret", False, ""),
        ("mode", "Mode", "choice", False, "poll"),
        ("retries", "Attempts", "number", False, "3"),
        ("quiet", "Quiet", "flag", False, "on"),
        ("nickname", "Nickname", "text", False, ""),
    ]
    assert fields_of(Account)[0].help == "What the messenger gave you."
    assert fields_of(Account)[2].choices == ("poll", "push")
    assert secret_names(Account) == ("token", "app_secret")


def test_blank_is_missing() -> None:
    assert missing(Account, {}) == missing(Account, {"token": " \n"}) == ("token",)
    assert missing(Account, {"token": "t"}) == ()


def test_what_people_type_becomes_the_config_and_comes_back_whole() -> None:
    config = read(Account, {"token": f" {CANARY}\n", "quiet": "false", "retries": "7", "mode": ""})

    assert plain(config) == {
        "token": CANARY,
        "app_secret": None,
        "mode": "poll",
        "retries": 7,
        "quiet": False,
        "nickname": None,
    }
    assert read(Account, plain(config)) == config
    assert CANARY not in repr(config)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"token": "t", "mode": CANARY}, "mode"),
        ({"token": "t", "retries": CANARY}, "retries"),
        ({"token": "t", "retries": -1}, "retries"),
        ({"token": "t", "nickname": f"{CANARY} x"}, "nickname"),
        ({"token": "t", "tokn": CANARY}, "token"),
        ({CANARY: "t"}, "There are: token"),
        ({}, "token"),
    ],
)
def test_errors_name_the_field_and_never_the_value(values: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(Account, values)

    assert named in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
