"""Commands as a person runs them: what they say goes to a terminal, what they print does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

needs_terminals = pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")


def told(*arguments: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run `sprout-like` with its errors on a terminal: the finished process, and what the terminal was told."""
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-c", "from sprout_like.cli.main import run; run()", *arguments],
        stdout=subprocess.PIPE, stderr=theirs, text=True, check=False, timeout=120,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    return done, said
