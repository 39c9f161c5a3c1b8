"""Whether a pinned version has a known vulnerability, by pip-audit; a part of `make check`.

    .venv/bin/python tests/spec/vulnerabilities.py [CONSTRAINTS] [OPTION OF PIP-AUDIT...]

Ends with 1 on a finding. Where the source of the findings does not answer, or knows none of the
packages, it says "skipped" and ends with 0: that is no finding.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
AUDIT = (
    str(Path(sys.executable).with_name("pip-audit")),
    *("--no-deps", "--disable-pip", "--format", "json", "--timeout", "15"),
    *("--progress-spinner", "off", "--requirement"),
)


def verdict(told: str) -> tuple[int, str]:
    """The exit code and what to say of pip-audit's answer; '' when its source gave none."""
    if not told:
        return 0, "pip-audit: skipped, its source did not answer"
    packages: list[dict[str, Any]] = json.loads(told)["dependencies"]
    known = [each for each in packages if "vulns" in each]
    found = [
        f"{each['name']} {each['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for each in known
        for fault in each["vulns"]
    ]
    if found:
        return 1, "\n".join(["pip-audit: known vulnerabilities", *found])
    if not known:
        return 0, "pip-audit: skipped, its source knows none of the packages"
    return 0, f"pip-audit: {len(known)} of {len(packages)} versions looked at, nothing known"


def main(constraints: str, *options: str) -> int:
    done = subprocess.run([*AUDIT, constraints, *options], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.stderr.write(done.stderr)
        return done.returncode
    code, said = verdict(done.stdout)
    sys.stdout.write(f"{said}\n")
    return code


if __name__ == "__main__":
    given = sys.argv[1:] or [str(ROOT / "constraints.txt")]
    sys.exit(main(*given))
