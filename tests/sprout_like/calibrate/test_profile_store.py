"""Profiles in the ledger, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from directives.profile import LeftOut, Profile
from sprout_like.calibrate.sample import Sample
from sprout_like.calibrate.store import keep_profile, latest_profile, save_profile
from sprout_like.errors import LedgerError, SproutError
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema

MakeProfile = Callable[[Sequence[Sample]], Profile]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    spec = tmp_path / "ledger.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = build_engine(parse_address(spec))
    ensure_schema(engine)
    yield engine
    engine.dispose()


def test_a_profile_comes_back_as_it_was(engine: Engine, profile: Profile) -> None:
    left_out = (LeftOut(directive=None, workload="passage", reason="too short"),)
    saved = replace(profile, left_out=left_out)
    save_profile(engine, saved)

    assert latest_profile(engine) == saved


def test_what_is_unknown_comes_back_unknown(
    engine: Engine, make_sample: Callable[..., Sample], make_profile: MakeProfile
) -> None:
    saved = make_profile([make_sample("short", energy_j=None, new_tokens=None, finish_reason=None)])
    save_profile(engine, saved)

    assert latest_profile(engine) == saved
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT energy_j_mean, energy_ratio_n, similarity_mean FROM profile_cells"))
        assert list(stored) == [(None, None, None)]


def test_the_newest_of_the_model_is_found(engine: Engine, profile: Profile) -> None:
    assert latest_profile(engine) is None
    for number, (day, model) in enumerate([("02", "small"), ("03", "small"), ("01", "small"), ("04", "large")]):
        save_profile(
            engine,
            replace(profile, profile_id=f"{number:032x}", created_utc=f"2026-03-{day}T12:00:00+00:00", model=model),
        )

    assert latest_profile(engine).created_utc.startswith("2026-03-04")  # type: ignore[union-attr]
    assert latest_profile(engine, model="small").created_utc.startswith("2026-03-03")  # type: ignore[union-attr]
    assert latest_profile(engine, model="other") is None


def test_a_database_that_refuses_is_an_error_of_ours(profile: Profile, tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger.sqlite")
    engine = build_engine(parse_address(ledger))
    ensure_schema(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE profile_cells"))
    engine.dispose()

    with pytest.raises(SproutError) as raised:
        keep_profile(ledger, profile)
    assert isinstance(raised.value, (LedgerError, ValueError))


def test_no_half_profile_is_kept(engine: Engine, profile: Profile) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE profile_cells"))

    with pytest.raises(Exception, match="profile_cells"):
        save_profile(engine, profile)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM profiles")) == 0


def test_a_profile_of_another_machine_or_catalogue_or_one_broken_off_is_passed_over(
    engine: Engine, profile: Profile
) -> None:
    save_profile(engine, profile)
    later = {"created_utc": "2026-05-01T00:00:00+00:00", "profile_id": "b" * 32}
    save_profile(engine, replace(profile, **later, ended="interrupted"))

    assert latest_profile(engine) == profile
    assert latest_profile(engine, interrupted=True).profile_id == "b" * 32  # type: ignore[union-attr]
    assert latest_profile(engine, hardware=profile.hardware, catalogue_version=profile.catalogue_version) == profile
    assert latest_profile(engine, hardware="another") is None
    assert latest_profile(engine, catalogue_version="another") is None
