"""`sprout-like dashboard`."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

__all__ = ["dashboard"]


def dashboard(
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; beyond this machine a token is asked for.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 for any free one.")] = 8765,
    token: Annotated[bool, typer.Option("--token", help="Ask for a token on this machine too.")] = False,
    name: Annotated[
        list[str] | None, typer.Option(help="Another host name it is asked by, such as a proxy's; may be repeated.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """A page that shows live what is used, emitted and saved.

    It only reads. Ctrl-C ends it.
    """
    import webbrowser

    from sprout_like.cli.jobs.worker import stopping_at_signals
    from sprout_like.cli.opening import configured
    from sprout_like.cli.quiet import quiet_grid_log
    from sprout_like.errors import SettingError

    try:
        from sprout_like.dashboard.dashboard import Listening, opened_dashboard
    except ModuleNotFoundError as exc:
        missing = (exc.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn"):
            raise
        raise SettingError(
            "dashboard", f"it needs {missing}, which is not installed", 'pip install "sprout-like[dashboard]"'
        ) from exc

    def started() -> None:
        typer.echo(f"{opened.url}  (Ctrl-C ends it)")
        if opened.note:
            typer.echo(opened.note, err=True)
        if open_page:
            webbrowser.open(opened.url)

    def used(url: str) -> None:
        typer.echo(f"Opened. For another browser: {url}")

    with (
        quiet_grid_log(),  # what it would warn of is on the page
        opened_dashboard(
            configured(ledger),
            Listening(host=host, port=port, token=token, names=name or ()),
            started=started,
            used=used,
        ) as opened,
        stopping_at_signals(opened.server.stop) as asked,
    ):
        opened.server.run()
    if signal.SIGINT in asked:
        raise typer.Exit(130)
