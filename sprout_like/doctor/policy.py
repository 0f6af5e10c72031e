"""The policy: what it is, what keeps it from saving more, and what would help."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from directives import Catalogue
from directives.constraints import Constraints
from sprout_like.choosing.constraints import constraints_of
from sprout_like.choosing.initial import initial_evidence
from sprout_like.choosing.missing import Missing, missing, unlocked
from sprout_like.choosing.status import Standing, standings
from sprout_like.doctor.finding import Finding
from sprout_like.errors import SettingError
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import HEAD, schema_version
from sprout_like.ledger.open import ledger_address
from sprout_like.settings import Settings

__all__ = ["look_at_contextual"]


def look_at_contextual(settings: Settings, catalogue: Catalogue) -> Iterator[Finding]:
    """The contextual policy of each model in the ledger; what it knows, and what it would take to save more.

    Raises:
        SettingError: the settings do not fit each other.
    """
    constraints = constraints_of(settings, catalogue)
    yield Finding("policy", "ok", _asked(constraints, catalogue))
    found = _standings(settings, catalogue, constraints)
    for standing in found:
        yield from _findings(standing, judged_live=settings.sample_share > 0)
    if not found:
        lacking = missing(initial_evidence(None, catalogue), catalogue)
        yield from _lacks("no model is known yet", lacking)


def _standings(settings: Settings, catalogue: Catalogue, constraints: Constraints) -> list[Standing]:
    """None of a ledger that is not there or cannot be read, which is another part's finding."""
    try:
        return _read(ledger_address(settings.ledger_spec), catalogue, constraints)
    except (SettingError, SQLAlchemyError):
        return []


def _read(url: URL, catalogue: Catalogue, constraints: Constraints) -> list[Standing]:
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return []
    engine = build_engine(url)
    try:
        with engine.connect() as connection:
            made = schema_version(connection) == HEAD
        return list(standings(engine, catalogue, constraints)) if made else []
    finally:
        engine.dispose()


def _asked(constraints: Constraints, catalogue: Catalogue) -> str:
    floor = "no floor" if constraints.floor is None else f"floor {constraints.floor:g}"
    return (
        f"contextual: {floor}, {constraints.explore_share:.0%} tried out, {constraints.control_share:.0%} control "
        f"group; directives: {', '.join(catalogue.directives)} (catalogue {catalogue.version})"
    )


def _findings(standing: Standing, *, judged_live: bool) -> Iterator[Finding]:
    if standing.number is None:
        served = (
            f"full, and where they fit, lossless and cheaper: {', '.join(standing.savers)}"
            if standing.savers
            else "full alone, as nothing lossless was found cheaper beyond doubt"
        )
        fix = "sprout-like judge, then sprout-like tune"
        yield Finding("policy", "warn", f"{standing.model}: no tuned policy; served is {served}", fix)
    else:
        floor = "" if standing.floor is None else f", floor {standing.floor:g}"
        watched = "" if judged_live else "; no served answer is kept to be judged (sample_share 0)"
        yield Finding("policy", "ok", f"{standing.model}: policy {standing.number} is active{floor}{watched}")
    if standing.breaker is not None:
        yield Finding(
            "policy",
            "warn",
            f"{standing.model}: {standing.breaker}; everything is served full",
            "sprout-like judge, then sprout-like tune",
        )
    yield from _lacks(standing.model, standing.missing)


def _lacks(model: str, lacking: Missing) -> Iterator[Finding]:
    if lacking.unmeasured:
        found = f"{model}: what these take was never measured: {', '.join(lacking.unmeasured)}"
        yield Finding("policy", "warn", found, "sprout-like calibrate")
    if lacking.unjudged:
        found = f"{model}: never judged, and would save energy if good enough: {unlocked(lacking.unjudged)}"
        yield Finding("policy", "warn", found, "sprout-like judge")
