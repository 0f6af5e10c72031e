"""`sprout-like policy …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["policy"]

policy = typer.Typer(rich_markup_mode=None)

_Ledger = Annotated[
    str | None, typer.Option("--ledger", metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
]
_Number = Annotated[int | None, typer.Argument(metavar="N", help="Its number.  [default: the active one]")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@policy.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Look at tuned policies, or go back to an earlier one."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@policy.command(name="list")
def list_(ledger: _Ledger = None, as_json: _AsJson = False) -> None:
    """All policies of the ledger, by number."""
    from sprout_like.cli.opening import reading
    from sprout_like.reports.machine import to_json
    from sprout_like.tuning.show import listed, policy_data
    from sprout_like.tuning.store import all_policies

    with reading(ledger) as engine:
        policies, unreadable = all_policies(engine)
    if as_json:
        typer.echo(to_json({"policies": [policy_data(each) for each in policies], "unreadable": unreadable}))
        return
    if policies:
        _print(listed(policies))
    elif not unreadable:
        typer.echo("There is no policy yet; `sprout-like tune` makes one.")
    if unreadable:
        typer.echo(f"Written by another release, and not shown: {', '.join(map(str, unreadable))}.")


@policy.command()
def show(number: _Number = None, ledger: _Ledger = None, as_json: _AsJson = False) -> None:
    """What a policy serves, and what is expected of it."""
    from sprout_like.cli.opening import reading
    from sprout_like.reports.machine import to_json
    from sprout_like.tuning.show import policy_data, shown
    from sprout_like.tuning.store import policy_numbered

    with reading(ledger) as engine:
        found = policy_numbered(engine, number)
    if as_json:
        typer.echo(to_json(policy_data(found)))
    else:
        _print(shown(found))


@policy.command()
def compare(
    one: Annotated[int, typer.Argument(metavar="A", help="A policy's number.")],
    other: Annotated[int, typer.Argument(metavar="B", help="Another's.")],
    ledger: _Ledger = None,
    as_json: _AsJson = False,
) -> None:
    """Where two policies differ."""
    from sprout_like.cli.opening import reading
    from sprout_like.reports.machine import to_json
    from sprout_like.tuning.show import compared, policy_data
    from sprout_like.tuning.store import policy_numbered

    with reading(ledger) as engine:
        both = policy_numbered(engine, one), policy_numbered(engine, other)
    if as_json:
        typer.echo(to_json({"policies": [policy_data(each) for each in both]}))
    else:
        _print(compared(*both))


@policy.command()
def plot(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where it goes: .png, .svg or .pdf.")],
    number: _Number = None,
    ledger: _Ledger = None,
) -> None:
    """Draw what each kind of work gets, by intensity."""
    from sprout_like.calibrate.plot import check_plot
    from sprout_like.cli.opening import reading
    from sprout_like.tuning.plot import plot as draw
    from sprout_like.tuning.store import policy_numbered

    check_plot(out, option="--out")
    with reading(ledger) as engine:
        found = policy_numbered(engine, number)
    draw(found, out)
    typer.echo(f"Plot: {out}")


@policy.command()
def rollback(
    number: Annotated[
        int | None, typer.Argument(metavar="N", help="To this policy.  [default: the one before the active one]")
    ] = None,
    ledger: _Ledger = None,
) -> None:
    """Make an earlier policy active again.

    It becomes a new one with the same content, so that the history stays.
    """
    from sprout_like.cli.opening import reading
    from sprout_like.clock import SystemClock
    from sprout_like.tuning.store import roll_back

    with reading(ledger) as engine:
        stored = roll_back(engine, number, now_utc=SystemClock().now_utc())
    typer.echo(f"Policy {stored.number} is active now: {stored.reason}.")


def _print(content: object) -> None:
    from rich.console import Console

    Console(emoji=False).print(content, highlight=False)
