"""Writes the schema's documentation: `python -m sprout_like.ledger.schema_doc > docs/schema.md`."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Final

from sqlalchemy import Table, make_url

from sprout_like.jobs.job import Answer, Item, Job, Planned, Run, Schedule, WorkerRecord
from sprout_like.ledger.migrate import HEAD
from sprout_like.ledger.rows import KINDS
from sprout_like.ledger.schema import Base, ContextRow, PeriodRow, SettlementRow, StoredRequestRow
from sprout_like.ledger.schema_jobs import (
    JobItemRow,
    JobPlanRow,
    JobRow,
    JobRunRow,
    JobScheduleItemRow,
    JobScheduleRow,
    PromptColumns,
    WorkerRow,
)
from sprout_like.ledger.schema_requests import View
from sprout_like.ledger.schema_rollups import DayRow, GroupRow, HourRow, StaleDayRow, StaleHourRow, SumColumns
from sprout_like.record import RequestRecord

__all__ = ["schema_markdown"]

_INTRODUCTION: Final = f"""\
# The ledger's tables

Schema {HEAD}. Written by `python -m sprout_like.ledger.schema_doc` from the code; do not edit.
Units are in the names. NULL means unknown and is never stored as 0. Prompt and answer text is only where somebody asked
for it: `job_items` and `job_schedule_items` hold that of jobs, until `job_keep_days` after a job's end, or until the
schedule's; and two tables that are not shown here, `answers` under `answer_cache = "ledger"` as tokens, and `prompts`
under `sample_share` until it expires.
"""

_OF_THE_VIEW: Final = """\
To be read; rows are written to, changed in and deleted from `request_rows`, which its indexes are of. What repeats is
stored once, in `request_contexts`, `request_periods` and `request_settlements`; they keep what no row uses any more.
"""

_TABLES: Final = {**Base.metadata.tables, **View.metadata.tables}

_DESCRIBED: Final[dict[str, tuple[type, ...]]] = {
    **{name: (record,) for name, record in KINDS.items()},
    "request_rows": (RequestRecord, StoredRequestRow),
    "request_contexts": (RequestRecord, ContextRow),
    "request_periods": (RequestRecord, PeriodRow),
    "request_settlements": (RequestRecord, SettlementRow),
    "jobs": (Job, JobRow),
    "job_items": (Answer, Item, PromptColumns, JobItemRow),
    "job_runs": (Run, JobRunRow),
    "job_plans": (Planned, JobPlanRow),
    "job_schedules": (Schedule, JobScheduleRow),
    "job_schedule_items": (Item, PromptColumns, JobScheduleItemRow),
    "workers": (WorkerRecord, WorkerRow),
    "request_groups": (GroupRow,),
    "request_hours": (SumColumns, HourRow),
    "request_days": (SumColumns, DayRow),
    "stale_hours": (StaleHourRow,),
    "stale_days": (StaleDayRow,),
}
"""What is shown, and the classes whose docstrings say what its columns mean; the last that names one has the say."""


def schema_markdown() -> str:
    """Every column with its types, whether it may be NULL, and what it means."""
    return _INTRODUCTION + "".join(_section(_TABLES[name]) for name in _DESCRIBED)


def meanings(table: str) -> dict[str, str]:
    """What each column means, from the `Attributes` sections of docstrings.

    There, an entry is `name: meaning` or `name, name: meaning`, at the start of a line or after a full stop.
    """
    name = "|".join(sorted(_TABLES[table].columns.keys(), key=len, reverse=True))
    found: dict[str, str] = {}
    for described in _DESCRIBED[table]:
        attributes = inspect.cleandoc(described.__doc__ or "").partition("Attributes:\n")[2]
        text = " ".join(attributes.split())
        parts = re.split(rf"(?:^|(?<=[.] ))((?:{name})(?:, (?:{name}))*): ", text)[1:]
        for names, meaning in zip(parts[::2], parts[1::2], strict=True):
            found |= dict.fromkeys(names.split(", "), meaning.strip().replace("None", "NULL"))
    return found


def _section(table: Table) -> str:
    dialects = [make_url(url).get_dialect()() for url in ("sqlite://", "postgresql://")]
    meaning = meanings(table.name)
    is_view = table.metadata is View.metadata
    title = f"`{table.name}`, a view" if is_view else f"`{table.name}`"
    lines = [f"\n## {title}\n", "| column | SQLite | PostgreSQL | NULL | meaning |", "|---|---|---|---|---|"]
    for column in table.columns:
        types = [column.type.compile(dialect) for dialect in dialects]
        null = "yes" if column.nullable else "key" if column.primary_key else "no"
        lines.append(f"| `{column.name}` | {types[0]} | {types[1]} | {null} | {meaning[column.name]} |")
    if is_view:
        return "\n".join(lines) + f"\n\n{_OF_THE_VIEW}"
    indexes = [f"`{index.name}` ({', '.join(index.columns.keys())})" for index in table.indexes]
    lines += [f"\nIndexes beside the key: {', '.join(sorted(indexes)) or 'none'}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_markdown())
