"""Profiles in the ledger."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import Engine, select, true
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from directives.profile import Cell, LeftOut, Profile
from directives.workload import Bin
from sprout_like.ledger import open_engine
from sprout_like.ledger.faults import as_startup_error
from sprout_like.ledger.schema import ProfileCellRow, ProfileRow

__all__ = ["keep_profile", "latest_profile", "save_profile"]

_OF_PROFILE = [f.name for f in fields(Profile) if f.name not in ("created_utc", "cells", "left_out")]
_OF_CELL = [f.name for f in fields(Cell) if f.name not in ("bin", "knobs")]
_OF_BIN = [f.name for f in fields(Bin)]


def keep_profile(ledger: str | None, profile: Profile) -> None:
    """Add a profile to the ledger of that address.

    Raises:
        LedgerError: the database does not answer, or is of a newer release.
        SettingError: it cannot work until the user changes something.
    """
    engine = open_engine(ledger)
    try:
        save_profile(engine, profile)
    except SQLAlchemyError as exc:
        raise as_startup_error(exc, engine.url) from exc
    finally:
        engine.dispose()


def save_profile(engine: Engine, profile: Profile) -> None:
    """Add a profile, all of it or nothing.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    row = ProfileRow(
        **{name: getattr(profile, name) for name in _OF_PROFILE},
        created_utc=datetime.fromisoformat(profile.created_utc),
        left_out=[asdict(left) for left in profile.left_out],
        cells=[_cell_row(place, cell) for place, cell in enumerate(profile.cells)],
    )
    with Session(engine) as session, session.begin():
        session.add(row)


def latest_profile(
    engine: Engine,
    *,
    model: str | None = None,
    hardware: str | None = None,
    catalogue_version: str | None = None,
    interrupted: bool = False,
) -> Profile | None:
    """The newest profile that was measured to its end; None where there is none.

    Args:
        engine: of the ledger's database.
        model: of this model alone; None for any.
        hardware: measured on this alone, as `machine.hardware` names it: another machine's figures say little here.
        catalogue_version: under this catalogue alone.
        interrupted: also one that was broken off.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    wanted = {"model": model, "hardware": hardware, "catalogue_version": catalogue_version}
    newest = (
        select(ProfileRow)
        .where(true() if interrupted else ProfileRow.ended != "interrupted")
        .where(*(getattr(ProfileRow, name) == value for name, value in wanted.items() if value is not None))
        .order_by(ProfileRow.created_utc.desc())
        .limit(1)
    )
    with Session(engine) as session:
        row = session.scalar(newest)
        return None if row is None else _profile(row)


def _profile(row: ProfileRow) -> Profile:
    return Profile(
        **{name: getattr(row, name) for name in _OF_PROFILE},
        created_utc=row.created_utc.isoformat(),
        left_out=tuple(LeftOut(**left) for left in row.left_out),
        cells=tuple(_cell(cell) for cell in row.cells),
    )


def _cell_row(place: int, cell: Cell) -> ProfileCellRow:
    return ProfileCellRow(
        place=place,
        knobs=list(cell.knobs),
        **{name: getattr(cell, name) for name in _OF_CELL},
        **{f"bin_{name}": getattr(cell.bin, name) for name in _OF_BIN},
    )


def _cell(row: ProfileCellRow) -> Cell:
    return Cell(
        bin=Bin(**{name: getattr(row, f"bin_{name}") for name in _OF_BIN}),
        knobs=tuple(row.knobs),
        **{name: getattr(row, name) for name in _OF_CELL},
    )
