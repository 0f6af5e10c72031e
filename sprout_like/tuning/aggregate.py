"""The ledger's rows as sums, added up by the database: a million rows become a few thousand groups.

SQLite sorts what it groups, which takes most of the time; it sorts numbers several times faster than texts. So the
few texts that occur are asked for first, and what is grouped by is one number made of the places of all parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, case, cast, false, func, select

from directives.policy import Observation
from directives.workload import LIMIT_EDGES, PROMPT_EDGES, Bin, bin_of
from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G
from sprout_like.ledger.schema import RequestRow
from sprout_like.tuning.overview import Scope, since

__all__ = ["Group", "groups"]

LEARNT_FROM: Final = ("request", "baseline", "evaluation")
"""Purposes whose rows tell costs. Calibration has its own table, the profile."""

_DRAWN: Final = 2
_GRAMS: Final = 2
_RADIX: Final = {"prompt": 8, "limit": 8, "level": 32, "use": 4, "known": 4}
"""Larger than the number of values of each part, unknown included; levels are a handful per policy compared."""

_NO_LIMIT: Final = 2**63 - 1

MOST_WORDS: Final = 64
"""Texts of a column below which each gets a place in the number; together with the rest it stays below 2^63."""

_CAME_SINCE: Final = MOST_WORDS - 1
"""The place of a text that was not there when they were asked for: its rows are left to the next time."""

_TEXTS: Final[dict[str, Any]] = {
    "task": func.coalesce(RequestRow.task, RequestRow.inferred_task, ""),
    "directive": RequestRow.directive,
    "candidates": RequestRow.candidates,
    "policy": RequestRow.policy,
}

_Words = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Calls that are alike, as sums. A call's energy, time and grams are those of all its rows.

    Attributes:
        bin: the workload bin. level: place of the intensity among the edges; None where it was unknown.
        directive: what was served. candidates: what fitted the call and could have been chosen. policy: who chose.
        size: rows per call; 1 where unknown.
        drawn: whether they are requests with a known propensity; the others tell costs alone.
        request: whether they are requests, rather than baselines or evaluations.
        n: calls. recent_n: of these, calls that count for the mix.
        energy_n, energy_j, energy_squares: calls of known energy, their sum in J and the sum of their squares.
        time_n, time_s, time_squares: of the time in the engine, compilation left out, in s likewise.
        carbon_g: sum of the operational g CO2e; None where not all are known and comparable.
        inverse, inverse_squares: Σ 1/p, Σ 1/p².
        energy: Σ y/p, Σ y/p², Σ y²/p² of the energy. carbon: likewise of the grams.
    """

    bin: Bin
    level: int | None
    directive: str
    candidates: tuple[str, ...]
    policy: str
    size: int
    drawn: bool
    request: bool
    n: int
    recent_n: int
    energy_n: int
    energy_j: float
    energy_squares: float
    time_n: int
    time_s: float
    time_squares: float
    carbon_g: float | None
    inverse: float
    inverse_squares: float
    energy: tuple[float, float, float]
    carbon: tuple[float, float, float]


def groups(connection: Connection, scope: Scope, edges_g_per_kwh: Sequence[float]) -> list[Group]:
    """The rows of a scope, grouped by all that a policy may go by; intensities by the level between the edges.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    words = _words(connection, scope)
    if not words["directive"]:
        return []
    rows = connection.execute(_grouped(scope, edges_g_per_kwh, words, sorting=connection.dialect.name == "sqlite"))
    return [group for row in rows if (group := _group(row, words)) is not None]


def _words(connection: Connection, scope: Scope) -> _Words:
    """Those that occur, by column."""
    found: dict[str, dict[str, None]] = {name: {} for name in _TEXTS}
    for row in connection.execute(select(*_TEXTS.values()).where(*_rows_of(scope)).distinct()):
        for name, word in zip(_TEXTS, row, strict=True):
            found[name][word] = None
    return {name: tuple(words) for name, words in found.items()}


def _rows_of(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (
        *since(scope.since_utc),
        RequestRow.model == scope.model,
        RequestRow.catalogue_version == scope.catalogue_version,
        RequestRow.purpose.in_(LEARNT_FROM),
        RequestRow.status == "ok",
    )


def _grouped(scope: Scope, edges: Sequence[float], words: _Words, *, sorting: bool) -> Select[*tuple[Any, ...]]:
    rows, prompt = RequestRow.batch_size, RequestRow.prompt_tokens
    known_rows = rows.is_not(None) & (rows > 0)
    like = false() if scope.kind is None else and_(KIND.in_([scope.kind]), FACTORS.in_([scope.factors]))
    request = RequestRow.purpose == "request"
    parts: dict[str, ColumnElement[int]] = {
        # Rounded up per row, as `bin_of` does: ceil(tokens / rows) <= edge where tokens <= edge * rows.
        "prompt": case(
            (~known_rows | prompt.is_(None), -1),
            *((prompt <= edge * rows, place) for place, edge in enumerate(PROMPT_EDGES)),
            else_=len(PROMPT_EDGES),
        ),
        "limit": _place(RequestRow.caller_limit_tokens, LIMIT_EDGES, inclusive=True),
        "level": _place(RequestRow.intensity_g_per_kwh, edges, inclusive=False),
        "use": case((request & RequestRow.propensity.is_not(None), _DRAWN), (request, 1), else_=0),
        "known": case(
            (RequestRow.energy_j.is_(None), 0),
            (OPERATIONAL_G.is_(None) | ~func.coalesce(like, false()), 1),
            else_=_GRAMS,
        ),
    }
    number: ColumnElement[int] = cast(case((known_rows, rows), else_=0), BigInteger)
    for name, radix in _RADIX.items():
        number = number * radix + parts[name] + 1
    many = [name for name in _TEXTS if len(words[name]) >= MOST_WORDS]
    for name, column in _TEXTS.items():
        if name not in many:
            places = {word: place for place, word in enumerate(words[name])}
            number = number * MOST_WORDS + case(places, value=column, else_=_CAME_SINCE)
    one = select(
        number.label("number"),
        *(_TEXTS[name].label(name) for name in many),
        case((RequestRow.started_utc >= scope.recent_utc, 1), else_=0).label("recent"),
        RequestRow.energy_j.label("energy"),
        (RequestRow.engine_s - func.coalesce(RequestRow.compile_s, 0.0)).label("time"),
        OPERATIONAL_G.label("carbon"),
        (1.0 / RequestRow.propensity).label("inverse"),
    ).where(*_rows_of(scope))
    # With a limit SQLite works a row's figures out once, before it sorts, instead of dragging along what they are made
    # of: a third less time. PostgreSQL hashes, and would lose its parallel workers.
    c = (one.limit(_NO_LIMIT) if sorting else one).subquery().c
    keys = (c.number, *(c[name] for name in many))
    inverse, twice = c.inverse, c.inverse * c.inverse
    return select(
        *keys,
        func.count(),
        func.sum(c.recent),
        func.count(c.energy),
        func.sum(c.energy),
        func.sum(c.energy * c.energy),
        func.count(c.time),
        func.sum(c.time),
        func.sum(c.time * c.time),
        func.sum(c.carbon),
        func.sum(inverse),
        func.sum(twice),
        func.sum(c.energy * inverse),
        func.sum(c.energy * twice),
        func.sum(c.energy * c.energy * twice),
        func.sum(c.carbon * inverse),
        func.sum(c.carbon * twice),
        func.sum(c.carbon * c.carbon * twice),
    ).group_by(*keys)


def _group(row: Sequence[Any], words: _Words) -> Group | None:
    number, *rest = row
    text: dict[str, str] = {}
    for name in reversed(_TEXTS):
        if len(words[name]) < MOST_WORDS:
            number, place = divmod(number, MOST_WORDS)
            if place == _CAME_SINCE:
                return None
            text[name] = words[name][place]
    for name in _TEXTS:
        if name not in text:
            text[name] = rest.pop(0)
    part: dict[str, int] = {}
    for name, radix in reversed(_RADIX.items()):
        number, digit = divmod(number, radix)
        part[name] = digit - 1
    n, recent, *sums = rest
    size, level, use = number, part["level"], part["use"]
    energy_n, energy_j, energy_squares, time_n, time_s, time_squares, carbon_g, *weighted = sums
    w = [value or 0.0 for value in weighted]
    return Group(
        bin=Bin(
            task=text["task"],
            prompt_tokens=_PROMPT_LABELS[part["prompt"]],
            limit_tokens=_LIMIT_LABELS[part["limit"]],
            batch_size="" if size == 0 else bin_of(Observation(batch_size=size)).batch_size,
        ),
        level=None if level < 0 else level,
        directive=text["directive"],
        candidates=tuple(text["candidates"].split(",")),
        policy=text["policy"],
        size=max(size, 1),
        drawn=use == _DRAWN,
        request=use > 0,
        n=n,
        recent_n=recent if use > 0 else 0,
        energy_n=energy_n,
        energy_j=energy_j or 0.0,
        energy_squares=energy_squares or 0.0,
        time_n=time_n,
        time_s=time_s or 0.0,
        time_squares=time_squares or 0.0,
        carbon_g=carbon_g if part["known"] == _GRAMS else None,
        inverse=w[0],
        inverse_squares=w[1],
        energy=(w[2], w[3], w[4]),
        carbon=(w[5], w[6], w[7]),
    )


def _place(column: Any, edges: Sequence[float], *, inclusive: bool) -> ColumnElement[int]:
    """Place of a value among rising edges, -1 where unknown; an edge belongs to what is below it if `inclusive`."""
    steps = [(column <= edge if inclusive else column < edge, place) for place, edge in enumerate(edges)]
    return case((column.is_(None), -1), *steps, else_=len(edges))


def _labels(edges: Sequence[int], field: str) -> dict[int, str]:
    """The names of the buckets, as `bin_of` gives them, by place; -1 for unknown."""
    values = [*edges, edges[-1] + 1]
    found = (bin_of(Observation(batch_size=1, **{field: value})) for value in values)  # type: ignore[arg-type]
    return {-1: "", **{place: getattr(home, field) for place, home in enumerate(found)}}


_PROMPT_LABELS: Final = _labels(PROMPT_EDGES, "prompt_tokens")
_LIMIT_LABELS: Final = _labels(LIMIT_EDGES, "limit_tokens")
