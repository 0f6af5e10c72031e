"""`import sprout_like` and `sprout-like --help` as whole processes, and what they load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.harness import interleaved, percentiles, write_result

ROUNDS = 20
_HEAVY = ("torch", "transformers", "sqlalchemy", "alembic", "pynvml", "apscheduler")


def main() -> None:
    """Measure and write the result."""
    script = Path(sys.executable).with_name("sprout-like")
    commands = {
        "python_alone": [sys.executable, "-c", "pass"],
        "import_sprout_like": [sys.executable, "-c", "import sprout_like"],
        "sprout_like_help": [str(script), "--help"],
    }
    seconds = interleaved({name: lambda c=c: _run(c) for name, c in commands.items()}, ROUNDS, warm_up=2)
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sprout_like, sys; print([m for m in {_HEAVY} if m in sys.modules])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    write_result(
        "import_time",
        {
            "processes": {name: percentiles(taken) for name, taken in seconds.items()},
            "heavy_modules_loaded_by_import": loaded,
            "wanted": "≤ 500,000 µs each, nothing heavy loaded",
        },
    )


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
