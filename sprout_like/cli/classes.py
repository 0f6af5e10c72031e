"""`sprout-like classes …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from directives.classes import Classes

__all__ = ["classes"]

classes = typer.Typer(rich_markup_mode=None)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="File that `classes train` wrote.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


@classes.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Learn to infer the task of requests that have no tag."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@classes.command()
def train(
    prompts: Annotated[
        Path | None,
        typer.Argument(metavar="PROMPTS", help='JSON Lines: {"prompt": "…", "task": "…"}; task other for the rest.'),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the classifier goes.")] = Path(
        "classes.json"
    ),
    from_ledger: Annotated[
        bool, typer.Option("--from-ledger", help="Learn from the prompts that the ledger keeps, by their tags.")
    ] = False,
    ledger: Annotated[
        str | None, typer.Option("--ledger", metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draw of held-out texts.")] = 0,
    as_json: _AsJson = False,
) -> None:
    """Learn to tell tasks apart from labelled prompts.

    Shows how well that goes on prompts held out in turn. Set `classes` to the file, and the task of requests without
    a tag is inferred from then on. The file holds no text.
    """
    from directives.classes import to_json
    from sprout_like.classes.labelled import learn, of_file, of_ledger
    from sprout_like.cli.opening import reading
    from sprout_like.errors import SettingError

    if (prompts is None) != from_ledger:
        raise SettingError("PROMPTS", "name a file of prompts or --from-ledger", "Give one of the two")
    if prompts is None:
        with reading(ledger) as engine:
            labelled = of_ledger(engine)
    else:
        labelled = of_file(prompts)
    learnt = learn(labelled, origin="the ledger" if prompts is None else str(prompts), seed=seed)
    out.write_text(to_json(learnt), "utf-8")
    _print(learnt, as_json=as_json)
    typer.echo(f"Written to {out}. Use it by the setting: classes = {str(out)!r}", err=as_json)


@classes.command()
def show(file: _File, as_json: _AsJson = False) -> None:
    """Show which classes a file tells apart, and how well."""
    from sprout_like.classes.inferring import open_classes

    _print(open_classes(file), as_json=as_json)


@classes.command("try")
def try_text(
    file: _File,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What a user would ask.")],
    as_json: _AsJson = False,
) -> None:
    """Show what a text would be taken for."""
    import json

    from sprout_like.classes.inferring import open_classes
    from sprout_like.printable import label

    opened = open_classes(file)
    task, probabilities = opened.classify(text), opened.probabilities(text)
    if as_json:
        typer.echo(json.dumps({"task": task, "probabilities": probabilities}))
        return
    told = "none, as it is other work, or no class is likely enough" if task is None else label(task)
    typer.echo(f"task: {told}")
    for name, probability in sorted(probabilities.items(), key=lambda each: -each[1]):
        typer.echo(f"  {probability:6.1%}  {label(name)}")


def _print(learnt: Classes, *, as_json: bool) -> None:
    from sprout_like.classes.render import as_data, as_table

    if as_json:
        import json

        typer.echo(json.dumps(as_data(learnt), indent=2))
    else:
        from rich.console import Console

        Console(emoji=False).print(as_table(learnt), highlight=False)
