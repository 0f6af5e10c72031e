"""Settings: precedence, errors in words, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sprout_like import SettingError, Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_argument_before_environment_before_file_before_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert Settings.load().pue == 1.0
    (tmp_path / "sprout.toml").write_text("pue = 1.1\nzone = 'DE'\n")
    assert Settings.load().pue == 1.1
    monkeypatch.setenv("SPROUT_PUE", "1.2")
    assert Settings.load().pue == 1.2
    assert Settings.load(pue=1.3).pue == 1.3
    assert Settings.load(pue=1.3).zone == "DE"
    assert Settings.load(zone=None).zone == "DE"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"zoen": "GB"}, ["zoen: there is no such setting", "the arguments", "Did you mean 'zone'?"]),
        ({"pue": 0.5}, ["pue:", "greater than or equal to 1", "the arguments", "Power usage effectiveness"]),
        ({"pue": "high"}, ["pue:", "number"]),
        ({"zone": " "}, ["zone:", "is empty"]),
        ({"control_share": 1.0}, ["control_share:", "less than 1"]),
        ({"embodied_total_g": -1}, ["embodied_total_g:", "greater than 0"]),
    ],
    ids=str,
)
def test_a_bad_argument_is_named_with_what_fits(given: dict[str, Any], says: list[str]) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.load(**given)
    assert all(part in str(caught.value) for part in says), str(caught.value)
    assert caught.value.setting == next(iter(given))
    assert "\n" not in str(caught.value)


def test_an_unknown_variable_of_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPROUT_CONTROL_SHAER", "0.1")
    with pytest.raises(SettingError, match=r"SPROUT_CONTROL_SHAER.*Did you mean 'control_share'"):
        Settings.load()


def test_a_bad_variable_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPROUT_PUE", "high")
    with pytest.raises(SettingError, match=r"pue: .*the environment \(SPROUT_PUE\)"):
        Settings.load()
    monkeypatch.delenv("SPROUT_PUE")
    monkeypatch.setenv("SPROUT_THRESHOLDS", "[[1")
    with pytest.raises(SettingError, match=r"^thresholds: it is not JSON, in the environment \(SPROUT_THRESHOLDS\)"):
        Settings.load()


@pytest.mark.parametrize(
    ("text", "says"),
    [("grdi = 'uk'", "Did you mean 'grid'"), ("pue = [", "sprout.toml"), ("pue = 'x'", "sprout.toml")],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "sprout.toml").write_text(text)
    with pytest.raises(SettingError, match=says):
        Settings.load()


def test_the_ledgers_password_is_in_no_repr_and_no_error() -> None:
    settings = Settings.load(ledger="postgresql://me:hunter2@db/x")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.model_dump())
    assert settings.ledger_spec == "postgresql://me:hunter2@db/x"
    with pytest.raises(SettingError) as caught:
        Settings.load(ledger=["postgresql://me:hunter2@db/x"])
    assert "hunter2" not in str(caught.value)


def test_replaced_keeps_what_is_not_given() -> None:
    settings = Settings.load(pue=1.3, ledger="x.sqlite")
    assert settings.replaced(zone="FR").pue == 1.3
    assert settings.replaced(zone="FR").ledger_spec == "x.sqlite"
    assert settings.replaced(zone=None) is settings
    with pytest.raises(SettingError, match="zoen"):
        settings.replaced(zoen="FR")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().pue = 2  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_repr_shows_no_secret() -> None:
    settings = Settings.load(grid="uk+http://user:hunter2@host/path", ledger="postgresql://me:hunter2@db/x")
    assert "hunter2" not in repr(settings)
    assert "host/path" in repr(settings)
    assert settings.grid == "uk+http://user:hunter2@host/path"
