"""A measured figure beside its baseline and its target, and how a list of them is told."""

import math
import platform
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os import cpu_count
from typing import Literal

__all__ = ["Figure", "Sizes", "median", "percentile", "report", "resident_mb"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. Quick proves that it runs, and no target."""

    quick: bool = False

    def of(self, full: int, quick: int) -> int:
        """The count for this run."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report."""

    what: str
    value: float
    unit: str
    baseline: str = ""
    """What the baseline does; empty when there is none."""
    base_value: float = 0.0
    target: float = 0.0
    """0: none, the figure is told for its own sake."""
    sense: Literal["at most", "at least"] = "at most"
    of: Literal["value", "ratio"] = "value"
    """What the target is about: the value, or the value divided by the baseline's."""

    @property
    def ratio(self) -> float:
        """Ours divided by the baseline's."""
        return self.value / self.base_value if self.base_value else math.nan

    @property
    def met(self) -> bool:
        """Whether the target is reached; true without one."""
        if not self.target:
            return True
        found = self.value if self.of == "value" else self.ratio
        return found <= self.target if self.sense == "at most" else found >= self.target

    def cells(self) -> list[str]:
        """The columns of the report."""
        base = f"{_number(self.base_value)} {self.unit}: {self.baseline}" if self.baseline else ""
        ratio = f"{_number(self.ratio)} ×" if self.baseline else ""
        target, verdict = "", ""
        if self.target:
            unit = f" {self.unit}" if self.of == "value" else " ×"
            target = f"{self.sense} {_number(self.target)}{unit}"
            verdict = "yes" if self.met else "**no**"
        return [self.what, f"{_number(self.value)} {self.unit}", base, ratio, target, verdict]


def median(values: Sequence[float]) -> float:
    """The middle one: a busy machine only ever adds time."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def resident_mb(pid: int) -> float:
    """What a process holds in memory."""
    done = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)],  # noqa: S607 - where ps lies differs between systems
        capture_output=True,
        check=True,
        text=True,
    )
    return int(done.stdout) / 1024


def report(figures: Iterable[Figure], *, quick: bool) -> str:
    """The page: where it ran, then a table."""
    head = ["figure", "measured", "baseline in the same run", "ratio", "target", "met"]
    rows = [head, ["---"] * len(head), *(figure.cells() for figure in figures)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    form = "`python -m benchmarks --quick`, which proves no target" if quick else "`make bench`"
    return (
        "# Benchmarks\n\n"
        f"Written by {form} on {datetime.now(UTC):%Y-%m-%d}: {_machine()}.\n"
        "Times are medians unless they say p95. Baselines run in the same process or the same "
        "minute, so that a busy\nmachine slows both. `python -m benchmarks --help` says how to "
        f"run a part.\n\n{table}\n"
    )


def _machine() -> str:
    python = platform.python_version()
    system = f"{platform.system()} {platform.machine()}"
    return f"{cpu_count()} CPUs, {system}, Python {python}, SQLite {sqlite3.sqlite_version}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def progress(text: str) -> None:
    """Say what is under way; the report goes to stdout."""
    print(text, file=sys.stderr, flush=True)
