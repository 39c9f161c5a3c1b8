"""`messengers audit`: the owner's look at what was done."""

import csv
import io
import json

import pytest

from messengers.cli.audit import safe_cell
from tests.cli.conftest import Run

pytestmark = pytest.mark.timeout(120)


def test_what_was_done_is_shown_as_a_table_as_json_and_as_csv(at: Run) -> None:
    at("keys", "create", "=HYPERLINK(1)")
    made = json.loads(at("keys", "list", "--json").stdout)[-1]["id"]
    asked = ("--action", "create_key", "--since", "1h", "--limit", "1")

    table = at("audit", *asked).stdout
    (line,) = json.loads(at("audit", *asked, "--json").stdout)
    head, row = csv.reader(io.StringIO(at("audit", *asked, "--csv").stdout))

    assert "create_key" in table
    assert made in table
    assert (line["actor"], line["action"], line["detail"]) == ("owner", "create_key", made)
    assert dict(zip(head, row, strict=True)) == {name: str(value) for name, value in line.items()}
    at("keys", "revoke", made)


def test_what_fits_nothing_and_what_does_not_fit_say_so(at: Run) -> None:
    assert at("audit", "--who", "nobody").stdout == "Nothing was done that fits.\n"
    assert "--since" in at("audit", "--since", "soon", code=2).stderr
    assert "chat" in at("audit", "--chat", "Anna", code=1).stderr


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+371", "'+371"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("plain=1", "plain=1"),
        ("", ""),
    ],
)
def test_a_spreadsheet_computes_nothing(text: str, cell: str) -> None:
    assert safe_cell(text) == cell
