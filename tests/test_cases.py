"""The manifest's plugin judges a small suite of its own, run in a process of its own."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cases import load_manifest
from tests.programs import ROOT

PLUGIN = """
import pytest
from pathlib import Path
import tests.cases as cases

cases.MANIFEST = Path("cases.toml").resolve()
cases.REPORT = Path("build/cases.json").resolve()
cases.STRICT_SKIPS = {strict}
cases.load_manifest.__defaults__ = (cases.MANIFEST,)
pytest_plugins = ["tests.cases"]
"""
MANIFEST = """
S01 = { title = "first" }
S02 = { title = "second" }
S03 = { title = "third", deferred = "waits for spring" }
"""
BOTH_PASS = """
import pytest

@pytest.mark.case("S01")
@pytest.mark.parametrize("row", [1, 2])
def test_first(row): pass

@pytest.mark.case("S02")
def test_second(): pass
"""

PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--disable-plugin-autoload")
PARALLEL = ("-p", "xdist", "-n2")

RunSuite = Callable[..., tuple[subprocess.CompletedProcess[str], dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path) -> RunSuite:
    def run_suite(
        suite: str, *args: str, strict: bool = False
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\ntestpaths = .\n")
        (tmp_path / "conftest.py").write_text(PLUGIN.format(strict=strict))
        (tmp_path / "cases.toml").write_text(MANIFEST)
        (tmp_path / "test_it.py").write_text(suite)
        done = subprocess.run(
            [*PYTEST, *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        report = tmp_path / "build" / "cases.json"
        return done, json.loads(report.read_text("utf-8")) if report.exists() else {}

    return run_suite


def test_a_full_run_with_every_case_passed_or_deferred_succeeds(run: RunSuite) -> None:
    done, cases = run(BOTH_PASS)

    assert done.returncode == 0, done.stdout
    assert {case_id: row["status"] for case_id, row in cases.items()} == {
        "S01": "passed",
        "S02": "passed",
        "S03": "deferred",
    }
    assert cases["S01"]["tests"] == 2
    assert cases["S03"]["reason"] == "waits for spring"


def test_a_run_in_several_processes_is_judged_as_one(run: RunSuite) -> None:
    done, cases = run(BOTH_PASS, *PARALLEL)
    halved, _ = run('import pytest\n@pytest.mark.case("S01")\ndef test_it(): pass\n', *PARALLEL)

    assert done.returncode == 0, done.stdout
    assert [row["status"] for row in cases.values()] == ["passed", "passed", "deferred"]
    assert cases["S01"]["tests"] == 2
    assert halved.returncode == 1
    assert "UNPROVEN S02 not run" in halved.stdout


def test_a_full_run_that_leaves_a_case_untested_fails(run: RunSuite) -> None:
    done, cases = run('import pytest\n@pytest.mark.case("S01")\ndef test_it(): pass\n')

    assert done.returncode == 1
    assert "UNPROVEN S02 not run" in done.stdout
    assert cases["S02"]["status"] == "not run"


def test_a_partial_run_does_not_ask_for_the_rest(run: RunSuite) -> None:
    done, cases = run(BOTH_PASS, "-k", "second")

    assert done.returncode == 0, done.stdout
    assert cases["S01"]["status"] == "not run"


def test_one_failing_row_fails_its_case(run: RunSuite) -> None:
    done, cases = run(BOTH_PASS.replace("(row): pass", "(row): assert row == 1"))

    assert done.returncode == 1
    assert cases["S01"]["status"] == "failed"


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_a_skipped_case_fails_only_where_ci_promised_the_programs(
    run: RunSuite, strict: bool, code: int
) -> None:
    suite = BOTH_PASS.replace("test_second(): pass", "test_second(): pytest.skip('no browser')")

    done, cases = run(suite, strict=strict)

    assert done.returncode == code, done.stdout
    assert cases["S02"]["status"] == "skipped"
    assert cases["S02"]["reason"] == "no browser"


def test_a_case_unknown_to_the_manifest_is_an_error(run: RunSuite) -> None:
    done, _ = run(BOTH_PASS.replace('"S02"', '"S99"'))

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "S99" in done.stderr


def test_the_manifest_lists_every_case_and_fault_in_order() -> None:
    expected = [f"S{number:02}" for number in range(1, 88)]
    expected.insert(expected.index("S39"), "S38b")
    expected += [f"F{number:02}" for number in range(1, 33)]

    manifest = load_manifest()

    assert list(manifest) == expected
    assert not [
        key
        for key, case in manifest.items()
        if case.deferred and not re.match(r"waits for \w", case.deferred)
    ]
