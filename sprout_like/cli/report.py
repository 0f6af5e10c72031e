"""`sprout-like report`, and `sprout-like report verify`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sprout_like.cli.moment import moment

if TYPE_CHECKING:
    from sprout_like.reports.build import Asked
    from sprout_like.reports.formats.written import Format
    from sprout_like.reports.report import Report

__all__ = ["report"]

report = typer.Typer(rich_markup_mode=None)

_LedgerOption = Annotated[
    str | None, typer.Option("--ledger", metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
]


@report.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    by: Annotated[
        str,
        typer.Option(
            metavar="NAME,…",
            help="What a line stands for: hour, day, week, month, model, directive, task, zone, tag:NAME and others.",
        ),
    ] = "directive",
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="MOMENT", help="First moment, UTC: 2026-03-01T18:30.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="MOMENT", help="The moment after the last, UTC.")
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="2026-03-09, 2026-W10, 2026-03, 2026; or the last whole day, week, month, year."
        ),
    ] = None,
    output: Annotated[
        Literal["text", "table", "html", "json", "csv", "parquet", "md"] | None,
        typer.Option("--format", help="How to write it; table is text.  [default: as --out is called, or text]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to a file, a manifest beside it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    manifest: Annotated[
        bool, typer.Option("--manifest/--no-manifest", help="What `report verify` compares, beside the file.")
    ] = True,
    every_row: Annotated[
        bool,
        typer.Option("--every-row", help="Hash each request for the manifest, even of more than 100,000."),
    ] = False,
    share_idle: Annotated[
        bool, typer.Option("--share-idle", help="Share the time between requests out over the lines.")
    ] = False,
    ledger: _LedgerOption = None,
) -> None:
    """What was used, emitted and saved."""
    if context.invoked_subcommand is not None:
        _take_nothing(context)
        return
    from sprout_like.cli.opening import configured, reading
    from sprout_like.cli.rolling import rolled_up
    from sprout_like.reports.ahead import import_ahead
    from sprout_like.reports.build import build

    asked = _asked(by, since, until, period, share_idle=share_idle)
    settings = configured(ledger)
    if out is not None:
        from sprout_like.ledger.open import ledger_address
        from sprout_like.reports.file import check_free

        check_free(out, force=force, manifest=manifest, ledger=ledger_address(settings.ledger_spec))
    chosen = _format(output, out)
    import_ahead(chosen)
    with reading(ledger) as engine:
        rolled_up(engine)
        content = build(engine, settings, asked)
        if out is not None:
            from sprout_like.reports.file import write

            write(
                content,
                engine,
                settings,
                asked,
                file=out,
                output=chosen,
                force=force,
                manifest=manifest,
                every_row=every_row,
            )
    if out is None:
        _print(content, chosen)
    else:
        from sprout_like.printable import printable
        from sprout_like.reports.manifest import manifest_file

        beside = f", its manifest to {manifest_file(out)}" if manifest else ""
        typer.echo(printable(f"Written to {out}{beside}"))


@report.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A report, or the manifest beside it.")],
    ledger: _LedgerOption = None,
) -> None:
    """Check a report and its manifest against the ledger.

    Says which day gained, lost or changed rows, which setting differs and whether the report itself was changed. Exit
    code 1 if anything does.
    """
    from sprout_like.cli.opening import configured, reading
    from sprout_like.printable import printable
    from sprout_like.reports.verify import kept
    from sprout_like.reports.verify import verify as verify_report

    there = kept(file)
    with reading(ledger) as engine:
        outcome = verify_report(there, engine, configured(ledger))
    for line in outcome.lines():
        typer.echo(printable(line))
    if not outcome.ok:
        raise typer.Exit(1)


def _take_nothing(context: typer.Context) -> None:
    """Options before a subcommand would be taken for its own, and do nothing."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if source is not None and source.name == "COMMANDLINE":
            option = parameter.opts[0]
            raise typer.BadParameter(
                f"it stands before `{context.invoked_subcommand}`, which would not see it. Write it behind, if it is "
                "one of its options",
                param_hint=option,
            )


def _asked(by: str, since: datetime | None, until: datetime | None, period: str | None, *, share_idle: bool) -> Asked:
    from sprout_like.clock import SystemClock
    from sprout_like.errors import ReportError
    from sprout_like.reports.build import Asked
    from sprout_like.reports.grouping import dimensions
    from sprout_like.reports.periods import period as period_named

    names = dimensions(by)
    if period is None:
        return Asked(since_utc=since, until_utc=until, by=names, share_idle=share_idle)
    if since is not None or until is not None:
        raise ReportError("--period: it is a span of its own. Leave out --since and --until")
    named = period_named(period, SystemClock().now_utc())
    return Asked(
        since_utc=named.since_utc, until_utc=named.until_utc, period=named.name, by=names, share_idle=share_idle
    )


def _format(output: str | None, out: Path | None) -> Format:
    from sprout_like.errors import ReportError
    from sprout_like.reports.formats.written import FORMATS, format_of

    if output is None:
        return "text" if out is None else format_of(out)
    if output == "parquet" and out is None:
        raise ReportError("--format: parquet is no text. Name a file: --out FILE")
    return next((known for known in FORMATS if known == output), "text")


def _print(content: Report, output: Format) -> None:
    if output == "text":
        from rich.console import Console

        from sprout_like.reports.document.document import document
        from sprout_like.reports.formats.text import as_renderable

        Console(emoji=False).print(as_renderable(document(content)), highlight=False)
        return
    from sprout_like.reports.formats.written import written

    typer.echo(written(content, output).decode(), nl=False)
