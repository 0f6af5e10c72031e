"""What a command waits for is said to whoever looks on, and to nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_a_terminal_is_told_and_the_output_is_not(place: Path) -> None:
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-c", "from sprout_like.cli.main import run; run()", "grid", "now", "--grid", "static:250"],
        stdout=subprocess.PIPE, stderr=theirs, text=True, check=False, timeout=120,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    said = os.read(ours, 10_000).decode()
    os.close(ours)

    assert done.returncode == 0
    assert "waiting for static" in said
    assert "waiting" not in done.stdout
