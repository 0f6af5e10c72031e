"""From sums of rows, a calibration and verdicts to what a policy is made of."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Final

from sqlalchemy import Connection, select

from directives import Catalogue
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.profile import Profile
from directives.workload import Bin
from sprout_like.choosing.initial import initial_evidence
from sprout_like.errors import NothingToLearn
from sprout_like.ledger.schema import EvaluationRow, VerdictRow
from sprout_like.tuning.aggregate import Group
from sprout_like.tuning.live import of_newest_judge
from sprout_like.tuning.overview import Overview

__all__ = ["evidence_of", "judged"]

ENOUGH: Final = 30
"""Calls from which the ledger's own figure of a cell is taken; below, the calibration's ratio to `full` if it has one.
At 30 calls the mean of costs that vary by half of it is known to ± 18 % (95 %)."""

_Key = tuple[Bin, str]
_OF_BIN: Final = tuple(part.name for part in fields(Bin))


def evidence_of(
    found: Sequence[Group],
    seen: Overview,
    profile: Profile | None,
    catalogue: Catalogue,
    quality: Mapping[_Key, Quality],
) -> Evidence:
    """All that is known of the catalogue's directives.

    A cell's energy and time are those of live requests; where these are few, those of evaluations and baselines, and
    then the calibration's, both as a ratio to `full` times the live `full` of the bin.

    Raises:
        NothingToLearn: nobody knows what `full` costs.
    """
    lossless = {name: not catalogue[name].needs_judging for name in ("full", *catalogue.directives)}
    start = {
        (cell.bin, cell.directive): cell
        for cell in initial_evidence(profile, [catalogue[name] for name in lossless]).cells
    }
    live = _measured([group for group in found if group.request])
    again = _measured([group for group in found if not group.request])
    keys = {*start, *live, *again, *quality}
    cells = []
    for home, name in sorted(keys):
        if name not in lossless:
            continue
        cell = start.get((home, name)) or Known(directive=name, bin=home, lossless=lossless[name])
        energy, time = (
            _best(
                _of(live, home, name, measure),
                _of(live, home, "full", measure),
                (
                    (_of(again, home, name, measure), _of(again, home, "full", measure)),
                    (getattr(cell, measure), getattr(start.get((home, "full")), measure, None)),
                ),
            )
            for measure in ("energy_j", "time_s")
        )
        cells.append(replace(cell, energy_j=energy, time_s=time, quality=quality.get((home, name))))
    if not any(cell.directive == "full" and cell.energy_j is not None for cell in cells):
        raise NothingToLearn(
            "ledger: the energy of `full`, to which all is compared, is unknown; run `sprout-like calibrate`, or serve "
            "requests with a meter (`sprout-like doctor` says which there is) and a control_share above 0"
        )
    requests: defaultdict[Bin, float] = defaultdict(float)
    for group in found:
        requests[group.bin] += group.recent_n * group.size
    total, days = math.fsum(requests.values()), seen.days()
    return Evidence(
        cells=tuple(cells),
        mix={home: count / total for home, count in sorted(requests.items()) if count},
        intensities_g_per_kwh=seen.intensities_g_per_kwh,
        requests_per_day=None if days is None else total / days,
    )


def judged(connection: Connection, *, model: str, catalogue_version: str) -> dict[_Key, Quality]:
    """Judged quality by bin and directive, by the judge of the newest evaluation alone: scales of judges differ.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    pairs = (
        select(
            *(getattr(VerdictRow, f"bin_{part}") for part in _OF_BIN),
            VerdictRow.directive,
            VerdictRow.score,
            VerdictRow.full_score,
        )
        .join(EvaluationRow, EvaluationRow.evaluation_id == VerdictRow.evaluation_id)
        .where(*of_newest_judge(model, catalogue_version))
    )
    scores: defaultdict[_Key, list[tuple[float, float]]] = defaultdict(list)
    for *home, directive, score, full_score in connection.execute(pairs):
        scores[Bin(**dict(zip(_OF_BIN, home, strict=True))), directive].append((score, full_score))
    return {key: quality for key, of in scores.items() if (quality := Quality.of(of)) is not None}


def _of(measured: Mapping[_Key, Mapping[str, Estimate]], home: Bin, name: str, measure: str) -> Estimate | None:
    return measured.get((home, name), {}).get(measure)


def _best(
    own: Estimate | None, full: Estimate | None, ratios: Iterable[tuple[Estimate | None, Estimate | None]]
) -> Estimate | None:
    if own is not None and own.n >= ENOUGH:
        return own
    for figure, of_full in ratios:
        if figure is None:
            continue
        if full is None or of_full is None or of_full.mean <= 0:
            return own or figure
        scale = full.mean / of_full.mean
        return Estimate(figure.mean * scale, None if figure.sd is None else figure.sd * scale, figure.n)
    return own


def _measured(found: Iterable[Group]) -> dict[_Key, dict[str, Estimate]]:
    by_cell: defaultdict[_Key, list[Group]] = defaultdict(list)
    for group in found:
        by_cell[group.bin, group.directive].append(group)
    measured: dict[_Key, dict[str, Estimate]] = {}
    for key, parts in by_cell.items():
        energy = _per_row([(g.energy_n, g.size, g.energy_j, g.energy_squares) for g in parts])
        time = _per_row([(g.time_n, g.size, g.time_s, g.time_squares) for g in parts])
        measured[key] = {name: of for name, of in (("energy_j", energy), ("time_s", time)) if of is not None}
    return measured


def _per_row(parts: Sequence[tuple[int, int, float, float]]) -> Estimate | None:
    """Mean per row of calls, size, Σ y and Σ y²; its spread between calls, in the same unit.

    A ratio of sums, as rows of a large batch count as many (Owen 2013, "Monte Carlo theory, methods and examples",
    eq. 9.10).
    """
    n = sum(part[0] for part in parts)
    rows = sum(count * size for count, size, _, _ in parts)
    if n == 0:
        return None
    mean = math.fsum(total for _, _, total, _ in parts) / rows
    squares = math.fsum(
        square - 2 * mean * size * total + count * (mean * size) ** 2 for count, size, total, square in parts
    )
    return Estimate(mean, math.sqrt(max(0.0, squares) / (n - 1)) / (rows / n) if n > 1 else None, n)
