"""The manifest's plugin: which security cases and faults this run has proven.

`@pytest.mark.case("S01")` claims a case, which has passed only when all its tests have. Every run
writes build/cases.json. A run of everything fails while a case is neither passed nor deferred with
its reason. Also here: `--long` and `scaled(short, long)` for tests that have a long form.
"""

import json
import tomllib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.programs import ROOT, STRICT_SKIPS

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

MANIFEST = ROOT / "tests" / "spec" / "cases.toml"
REPORT = ROOT / "build" / "cases.json"
PLUGIN = "messengers-cases"
LONG_S = 7_200
"""The timeout of a long form, in place of the short one's."""


@dataclass(frozen=True)
class Case:
    title: str
    deferred: str | None = None


def load_manifest(path: Path = MANIFEST) -> dict[str, Case]:
    rows: dict[str, dict[str, str]] = tomllib.loads(path.read_text("utf-8"))
    return {case_id: Case(**row) for case_id, row in rows.items()}


@dataclass
class Verdict:
    status: str
    title: str
    reason: str = ""
    tests: int = 0


@dataclass(eq=False)
class Ledger:
    """Collects what became of each case's tests. `full` says whether the whole suite runs."""

    manifest: dict[str, Case]
    full: bool
    outcomes: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    reasons: dict[str, str] = field(default_factory=dict[str, str])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for case_id in case_ids(report):
            tests = self.outcomes[case_id]
            before = tests.get(report.nodeid, "passed")
            tests[report.nodeid] = worse(before, report.outcome)
            if report.skipped:
                self.reasons[case_id] = skip_reason(report)
            elif report.failed:
                self.reasons.setdefault(case_id, report.nodeid)

    def verdicts(self) -> dict[str, Verdict]:
        return {case_id: self.verdict(case_id, case) for case_id, case in self.manifest.items()}

    def verdict(self, case_id: str, case: Case) -> Verdict:
        tests = self.outcomes.get(case_id, {})
        worst = "not run"
        for outcome in tests.values():
            worst = outcome if worst == "not run" else worse(worst, outcome)
        if case.deferred and worst != "failed":
            return Verdict("deferred", case.title, case.deferred, len(tests))
        return Verdict(worst, case.title, self.reasons.get(case_id, ""), len(tests))

    def unproven(self) -> list[str]:
        """What makes this run fail: in a run of everything, each case not passed and not deferred.

        A skip is excused where a program may be missing; CI promises all of them.
        """
        if not self.full:
            return []
        accepted = {"passed", "deferred"} if STRICT_SKIPS else {"passed", "deferred", "skipped"}
        return [
            f"{case_id} {found.status}: {found.title}"
            for case_id, found in self.verdicts().items()
            if found.status not in accepted
        ]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):
            return  # one of several processes: the one that started it is told of every test
        REPORT.parent.mkdir(exist_ok=True)
        rows = {case_id: vars(verdict) for case_id, verdict in self.verdicts().items()}
        REPORT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
        if self.unproven() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: "TerminalReporter") -> None:
        counts: dict[str, int] = defaultdict(int)
        for verdict in self.verdicts().values():
            counts[verdict.status] += 1
        summary = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        terminalreporter.write_line(f"cases: {summary}")
        for line in self.unproven():
            terminalreporter.write_line(f"UNPROVEN {line}", red=True)


def worse(one: str, other: str) -> str:
    order = ("passed", "skipped", "failed")
    return max(one, other, key=order.index)


def skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)


def case_ids(report: pytest.TestReport) -> list[str]:
    return [str(value) for name, value in report.user_properties if name == "case"]


def runs_everything(config: pytest.Config) -> bool:
    option = config.option
    narrowed = option.keyword or option.markexpr or option.deselect or option.collectonly
    chosen = config.args_source is pytest.Config.ArgsSource.ARGS
    return not narrowed and not chosen and not getattr(option, "lf", False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="run the long form of the tests that have one"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "case(*ids): the manifest's cases that this test proves")
    config.addinivalue_line("markers", "soak: has a long form, which `make soak` runs")
    config.pluginmanager.register(Ledger(load_manifest(), runs_everything(config)), PLUGIN)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ledger = config.pluginmanager.get_plugin(PLUGIN)
    assert isinstance(ledger, Ledger)
    for item in items:
        if config.getoption("--long") and item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(LONG_S), append=False)
        for marker in item.iter_markers("case"):
            unknown = [case_id for case_id in marker.args if case_id not in ledger.manifest]
            if unknown or not marker.args:
                raise pytest.UsageError(f"{item.nodeid}: {unknown} stand not in {MANIFEST.name}")
            item.user_properties.extend(("case", case_id) for case_id in marker.args)


@pytest.fixture
def scaled(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`scaled(20, 5000)` is 20, and 5000 under --long."""
    long_form = bool(request.config.getoption("--long"))
    return lambda short, long: long if long_form else short
