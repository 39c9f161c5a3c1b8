"""`python -m benchmarks [NAME …]`: measure, print, and write benchmarks/RESULTS.md.

A run of everything writes the file; a part, or --quick, writes only where --out says. Ends with 1
when a target is missed.
"""

import argparse
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from benchmarks import clients, ingest, reading, sending, streams, webhooks, whatsapp
from benchmarks.figures import Figure, Sizes, report

MEASURES: dict[str, Callable[[Sizes], Awaitable[list[Figure]]]] = {
    "clients": clients.measure,
    "ingest": ingest.measure,
    "reading": reading.measure,
    "sending": sending.measure,
    "streams": streams.measure,
    "webhooks": webhooks.measure,
    "whatsapp": whatsapp.measure,
}
RESULTS = Path(__file__).with_name("RESULTS.md")


async def _measured(names: list[str], sizes: Sizes) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        figures += await MEASURES[name](sizes)
    return figures


def main() -> int:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--quick", action="store_true", help="prove that it runs, and no target")
    parser.add_argument("--out", type=Path, help="the file to write")
    given = parser.parse_args()
    if unknown := set(given.names) - set(MEASURES):
        parser.error(f"no such figures: {', '.join(sorted(unknown))}")
    figures = anyio.run(_measured, given.names or list(MEASURES), Sizes(given.quick))
    page = report(figures, quick=given.quick)
    print(page)
    whole = not given.names and not given.quick
    if out := given.out or (RESULTS if whole else None):
        out.write_text(page, "utf-8")
    missed = [] if given.quick else [figure.what for figure in figures if not figure.met]
    for what in missed:
        print(f"missed: {what}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
