"""What a command waits for is said to whoever looks on, and to nobody else."""

from __future__ import annotations

from pathlib import Path

from tests.sprout_like.cli.terminal import needs_terminals, told


@needs_terminals
def test_a_terminal_is_told_and_the_output_is_not(place: Path) -> None:
    done, said = told("grid", "now", "--grid", "static:250")

    assert done.returncode == 0
    assert "waiting for static" in said
    assert "waiting" not in done.stdout
