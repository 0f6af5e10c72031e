"""What the documentation takes from the code itself while it is built: settings, commands, the list of decisions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_DECISIONS = Path(__file__).parent / "decisions"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put each table where its mark is."""
    for mark, table in (("settings", _settings), ("commands", _commands), ("decisions", _decisions)):
        if f"<!-- {mark} -->" in markdown:
            markdown = markdown.replace(f"<!-- {mark} -->", table())
    return markdown


def _settings() -> str:
    from sprout_like import Settings

    rows = [
        f"| `{name}` | {_cell(_default(field.get_default(call_default_factory=True)))} | {_cell(field.description)} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | what it is |", "|---|---|---|", *rows])


def _default(value: object) -> str:
    return "–" if value is None else f"`{value!r}`" if value != "" else "``"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")


def _commands() -> str:
    import typer
    from typer.main import get_command

    from sprout_like.cli.commands import app

    command = get_command(app)
    context = typer.Context(command, info_name="sprout-like", **command.context_settings)
    return "\n\n".join(_help(command, "sprout-like", context))


def _help(command: Any, name: str, context: Any) -> list[str]:
    depth = "#" * min(2 + name.count(" "), 4)
    found = [f"{depth} `{name}`\n\n```text\n{_plain(command.get_help(context))}\n```"]
    for each, inner in sorted(getattr(command, "commands", {}).items()):
        found += _help(inner, f"{name} {each}", type(context)(inner, info_name=each, parent=context))
    return found


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()


def _decisions() -> str:
    titles = [(path.name, path.read_text("utf-8").partition("\n")[0]) for path in sorted(_DECISIONS.glob("0*.md"))]
    return "\n".join(f"- [{title.removeprefix('# ')}]({name})" for name, title in titles)
