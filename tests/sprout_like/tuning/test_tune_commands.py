"""`sprout-like tune` and `sprout-like policy` on a simulated ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from sprout_like.cli.main import run
from sprout_like.ledger.migrate import VERSION_TABLE
from sprout_like.ledger.schema import PolicyRow
from sprout_like.tuning.plot import shares_by_level
from sprout_like.tuning.store import policy_numbered

EXPLORING = {"full": 0.5, "brief": 0.3, "very_brief": 0.2}


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command line in this process on the ledger of `local`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPROUT_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(arguments)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def filled(local: Any, scores: Callable[..., Any]) -> Any:
    local.requests(2000, EXPLORING)
    local.verdicts({"brief": scores(0.8), "very_brief": scores(0.3)})
    return local


def one_line(found: tuple[int, str, str], message: str) -> None:
    code, out, err = found
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_tune_shows_what_it_would_do_and_then_does_it(filled: Any, command: Callable[..., Any]) -> None:
    code, out, _ = command("tune", "--dry-run", "--floor", "0.9")
    assert code == 0
    assert "Would be promoted (dry run)" in out
    assert command("policy", "list")[1].startswith("There is no policy yet")

    code, out, _ = command("tune", "--floor", "0.9")
    assert code == 0
    assert "Policy 1 is active now" in out
    assert "From 2,000 requests" in out
    assert "evaluations taken off" in out


def test_the_json_of_tune_holds_plan_and_estimate(filled: Any, command: Callable[..., Any]) -> None:
    data = json.loads(command("tune", "--floor", "0.9", "--json")[1])
    assert (data["state"], data["number"], data["running"]) == ("active", 1, None)
    assert data["estimate"]["carbon_g"]["from_running"]["high"] < 0
    assert data["plan"]["levels"]


def test_policies_are_listed_shown_compared_drawn_and_rolled_back(
    filled: Any, command: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    command("tune", "--floor", "0.9")
    filled.verdicts({"brief": [(0.0, 1.0)] * 3000}, number=1)
    command("tune", "--floor", "0.9")

    assert "retired" in command("policy", "list")[1]
    assert "Policy 1, retired" in command("policy", "show", "1")[1]
    assert json.loads(command("policy", "show", "--json")[1])["number"] == 2
    assert "brief" in command("policy", "compare", "1", "2")[1]
    both = json.loads(command("policy", "compare", "1", "2", "--json")[1])["policies"]
    assert [policy["state"] for policy in both] == ["retired", "active"]
    assert command("policy", "plot", "1", "--out", str(tmp_path / "one.png"))[0] == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "Policy 3 is active now: rolled back to policy 1." in command("policy", "rollback")[1]
    shares = shares_by_level(policy_numbered(filled.engine, 1))
    assert [sum(level.values()) for level in shares] == [pytest.approx(1.0)] * len(shares)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tune",), "it holds no requests; serve some, or run `sprout-like calibrate`"),
        (("tune", "--floor", "1.2"), "--floor"),
        (("tune", "--since", "yesterday"), "write 2026-03-01 or"),
        (("policy", "show", "7"), "the ledger holds none. Run `sprout-like tune`"),
        (("policy", "rollback"), "the ledger holds none. Run `sprout-like tune`"),
        (("policy", "plot", "--out", "x.gif"), "x.gif ends in none of"),
        (("policy", "list", "--ledger", "nowhere.sqlite"), "there is no ledger at"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    local: Any, command: Callable[..., Any], arguments: tuple[str, ...], message: str
) -> None:
    one_line(command(*arguments), message)


@pytest.mark.parametrize(
    ("chances", "changes", "message"),
    [
        ({"full": 1.0}, {}, "run `sprout-like calibrate`, or serve requests with an explore_share above 0"),
        ({"brief": 0.5, "very_brief": 0.5}, {}, "the energy of `full`, to which all is compared, is unknown; run"),
        (EXPLORING, {"propensity": None}, "serve requests under a policy of this release"),
        (EXPLORING, {"energy_j": None, "operational_g": None}, "`sprout-like doctor` says which meter"),
    ],
    ids=["one directive", "no full", "no propensity", "no energy"],
)
def test_a_ledger_to_learn_nothing_from_is_one_line(
    local: Any, command: Callable[..., Any], chances: dict[str, float], changes: dict[str, Any], message: str
) -> None:
    local.requests(60, chances, **changes)
    one_line(command("tune"), message)


def test_rows_of_several_models_are_one_line_until_one_is_named(filled: Any, command: Callable[..., Any]) -> None:
    filled.requests(50, EXPLORING, model="other")
    one_line(command("tune", "--floor", "0.9"), "choose one with --model")
    one_line(command("tune", "--model", "third"), "it holds no request of third; there are: ")
    code, out, _ = command("tune", "--floor", "0.9", "--model", "other", "--dry-run")
    assert code == 0
    assert "2,000 of other models or catalogues" in out


def test_numbers_there_are_none_of_and_no_way_back_are_one_line(filled: Any, command: Callable[..., Any]) -> None:
    command("tune", "--floor", "0.9")
    one_line(command("policy", "show", "7"), "there is no policy 7. `sprout-like policy list` shows them: 1")
    one_line(command("policy", "compare", "1", "7"), "there is no policy 7")
    one_line(command("policy", "rollback"), "none was active before the present one. Set policy to full")
    one_line(command("policy", "rollback", "1"), "policy 1 is active already")


@pytest.mark.parametrize("arguments", [("tune",), ("policy", "list"), ("policy", "rollback")])
def test_a_ledger_of_a_newer_release_is_left_alone(
    filled: Any, command: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    with filled.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    one_line(command(*arguments), "pip install --upgrade sprout-like")


def test_a_policy_of_another_release_is_named_and_tuned_anew(filled: Any, command: Callable[..., Any]) -> None:
    command("tune", "--floor", "0.9")
    with filled.engine.begin() as connection:
        connection.execute(update(PolicyRow).values(plan={"shape": "of tomorrow"}))
    assert "Written by another release, and not shown: 1." in command("policy", "list")[1]
    one_line(command("policy", "show"), "tune again")
    assert "Policy 2 is active now" in command("tune", "--floor", "0.9")[1]


def test_tasks_cannot_control_the_terminal(
    local: Any, scores: Callable[..., Any], command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    local.requests(2000, EXPLORING, task="\x1b[2Jquestion")
    local.verdicts({"brief": scores(0.8), "very_brief": scores(0.3)}, bin_task="\x1b[2Jquestion")
    monkeypatch.setenv("SPROUT_PINNED", json.dumps({"\x9bpoem": "full"}))
    command("tune", "--floor", "0.9")
    code, out, _ = command("policy", "show")
    assert code == 0
    assert "question" in out
    assert "poem" in out
    assert not {"\x1b", "\x9b"} & set(out)
