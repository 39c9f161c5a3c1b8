"""The benchmarks run, in their small form: what nobody runs rots."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import Figure, median, percentile, report
from tests.fakes.whatsapp_web.engine import require_engine
from tests.programs import ROOT


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ["clients", "ingest", "reading", "streams", "webhooks"])
def test_the_small_form_runs(name: str, tmp_path: Path) -> None:
    run_small(name, tmp_path)


@pytest.mark.timeout(180)
def test_the_small_form_with_the_whatsapp_engine_runs(tmp_path: Path) -> None:
    require_engine()
    run_small("whatsapp", tmp_path)


def run_small(name: str, tmp_path: Path) -> None:
    out = tmp_path / "results.md"

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "proves no target" in out.read_text("utf-8")
    assert done.stdout.count("\n| ") >= 3


def test_an_unknown_name_is_refused() -> None:
    line = [sys.executable, "-m", "benchmarks", "nothing"]

    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "no such figures: nothing" in done.stderr


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("told only", 5, "ms"), True),
        (Figure("fast enough", 5, "ms", target=10), True),
        (Figure("too slow", 15, "ms", target=10), False),
        (Figure("many enough", 15, "x/s", target=10, sense="at least"), True),
        (Figure("a fifth", 2, "ms", "bare", 10, target=0.2, of="ratio"), True),
        (Figure("more than a fifth", 3, "ms", "bare", 10, target=0.2, of="ratio"), False),
    ],
    ids=lambda value: value.what if isinstance(value, Figure) else "",
)
def test_a_figure_knows_whether_it_meets_its_target(figure: Figure, met: bool) -> None:
    assert figure.met is met
    assert ("**no**" in report([figure], quick=False)) is not met


def test_medians_and_percentiles() -> None:
    assert median([3, 1, 2]) == 2
    assert percentile([float(value) for value in range(1, 101)], 95) == 95
    assert percentile([7.0], 95) == 7
