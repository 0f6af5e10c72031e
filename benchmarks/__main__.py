"""`python -m benchmarks [NAME …] [--model M | --random 7b] [--rounds N]`: all benchmarks, or those named."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile

_OWN = (
    "import_time",
    "middleware_time",
    "concurrency",
    "windows",
    "classes_time",
    "policy_time",
    "tune_time",
    "job_queue",
    "report_time",
    "export_time",
)
_OF_A_MODEL = ("generate_overhead", "knobs", "confidence_exit", "prefix_cache", "answer_cache", "batch")
NAMES = (*_OWN, *_OF_A_MODEL)


def main() -> int:
    """Run each in a process of its own, so that none finds what another has loaded.

    Options are those of `benchmarks.subject`, and go to the benchmarks that run a model.
    """
    wanted = list(takewhile(lambda argument: not argument.startswith("-"), sys.argv[1:]))
    options = sys.argv[1 + len(wanted) :]
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    names = wanted or (_OF_A_MODEL if options else NAMES)
    return max(_run(name, options if name in _OF_A_MODEL else []) for name in names)


def _run(name: str, options: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
