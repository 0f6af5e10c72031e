"""From what the user wrote to a database, without ever showing a password."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from sprout_like.errors import SettingError
from sprout_like.ledger.address import parse_address, public_name

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("/data/ledger.sqlite", "sqlite:////data/ledger.sqlite"),
        (Path("/data/ledger.sqlite"), "sqlite:////data/ledger.sqlite"),
        ("sqlite:////data/ledger.sqlite", "sqlite:////data/ledger.sqlite"),
        ("~/ledger.sqlite", f"sqlite:///{Path.home()}/ledger.sqlite"),
        ("ledger.sqlite", f"sqlite:///{Path.cwd()}/ledger.sqlite"),
        ("sqlite:///ledger.sqlite", f"sqlite:///{Path.cwd()}/ledger.sqlite"),
        (f"postgresql://me:{SECRET}@db/carbon", "postgresql://db:5432/carbon"),
        (f"postgresql+psycopg://me:{SECRET}@db:6000/carbon?sslmode=require", "postgresql://db:6000/carbon"),
        ("postgresql:///carbon", "postgresql://localhost:5432/carbon"),
        ("postgresql:///carbon?host=/run/postgresql&port=6000", "postgresql:///run/postgresql:6000/carbon"),
    ],
)
def test_names_a_database(spec: str | Path, name: str) -> None:
    assert public_name(parse_address(spec)) == name


def test_postgresql_means_psycopg_3() -> None:
    assert parse_address("postgresql://db/carbon").get_driver_name() == "psycopg"


def test_the_name_stays_when_the_account_changes() -> None:
    names = {public_name(parse_address(f"postgresql://{user}:{SECRET}@db/carbon")) for user in ("me", "you")}

    assert len(names) == 1


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (f"postgresql:/me:{SECRET}@db/carbon", "malformed"),
        (f"postgresql://me:{SECRET}@db:{SECRET}/carbon", "malformed"),
        (f"postgresql://me:{SECRET}@[::1/carbon", "malformed"),
        (f"mysql://me:{SECRET}@db/carbon", "mysql is not supported; sqlite and postgresql"),
        (f"postgres://me:{SECRET}@db/carbon", "postgres is not supported; sqlite and postgresql"),
        (f"postgresql+asyncpg://me:{SECRET}@db/carbon", "postgresql.asyncpg is not supported"),
        (f"nonsense://{SECRET}", "nonsense is not supported"),
        (f"postgresql://me:{SECRET}@db", "names no database"),
        ("sqlite://", "in-memory"),
        (":memory:", "in-memory"),
        ("sqlite:///:memory:", "in-memory"),
        ("sqlite:///ledger.sqlite?mode=ro", "takes no options"),
    ],
)
def test_says_what_is_wrong_and_shows_no_secret(spec: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem) as caught:
        parse_address(spec)

    assert caught.value.setting == "ledger"
    assert "postgresql://USER:PASSWORD@HOST" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
