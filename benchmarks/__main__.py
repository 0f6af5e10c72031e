"""`python -m benchmarks [NAME …]`: all benchmarks, or those named."""

from __future__ import annotations

import subprocess
import sys

NAMES = ("import_time", "middleware_time", "concurrency", "generate_overhead")


def main() -> int:
    """Run each in a process of its own, so that none finds what another has loaded."""
    wanted = sys.argv[1:] or NAMES
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    return max(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode for name in wanted)


if __name__ == "__main__":
    sys.exit(main())
