"""The declaration that docs/adding-a-provider.md shows can be declared like that."""

import importlib
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from messengers.providers.base import Provider, ProviderInfo
from tests.programs import ROOT

PAGE = (ROOT / "docs" / "adding-a-provider.md").read_text("utf-8")


def test_the_shown_declaration_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "shown_messenger.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType] - untyped there

    info = importlib.import_module("shown_messenger").INFO

    assert isinstance(info, ProviderInfo)
    assert info.config.model_fields["token"].annotation is SecretStr
    assert info.config.model_fields["token"].description


def test_the_table_of_methods_is_the_protocol() -> None:
    rows = set(re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE))
    required = {name for name in vars(Provider) if not name.startswith("_")}

    assert rows == required


def test_every_optional_capability_is_named() -> None:
    optional = {each.__name__ for each in ProviderInfo.capability_methods.values()}

    assert {name for name in optional if f"`{name}`" not in PAGE} == set()
