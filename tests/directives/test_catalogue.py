"""Catalogues: what is built in, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from directives import FULL, Budget, Catalogue, CatalogueError, Directive
from directives.testing import small_catalogue


def test_builtin_offers_full_first_and_rising_strength() -> None:
    catalogue = Catalogue.builtin()
    assert next(iter(catalogue.directives)) == "full"
    assert catalogue["full"] == FULL
    assert not FULL.knobs
    budgets = [d.budget for d in catalogue if d.budget is not None]
    assert [b.max_new_tokens for b in budgets] == sorted((b.max_new_tokens for b in budgets), reverse=True)
    assert all(catalogue[name].knobs == {"instruction", "budget"} for name in ("brief", "very_brief"))


def test_full_is_there_even_when_the_file_does_not_name_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[directive.short]\nbudget = { max_new_tokens = 10 }\n")
    assert list(Catalogue.load(path).directives) == ["full", "short"]


def test_version_changes_with_content_only() -> None:
    one = Catalogue.of(Directive(name="a", budget=Budget(max_new_tokens=10)))
    same = Catalogue.of(Directive(name="a", budget=Budget(max_new_tokens=10)))
    other = Catalogue.of(Directive(name="a", budget=Budget(max_new_tokens=11)))
    assert one.version == same.version != other.version


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[directive.a]\nbudget = { max_new_tokens = 0 }", "max_new_tokens is 0; give 1 or more"),
        ("[directive.a]\nbudget = { max_new_tokens = 8, soft_tokens = 8 }", "give 0 to 7"),
        ("[directive.a]\nbudget = { tokens = 8 }", "unknown key budget.tokens; did you mean 'soft_tokens'"),
        ('[directive.a]\ninstuction = "x"', "unknown key instuction; did you mean 'instruction'"),
        ('[directive.a]\ninstruction = " "', "instruction is ' '; give a text"),
        ('[directive.a]\nbudget = { max_new_tokens = "8" }', "max_new_tokens"),
        ("[directive.A]\nbudget = { max_new_tokens = 8 }", "lower-case"),
        ('[directive.full]\ninstruction = "x"', "can have no knobs"),
        ("[directives.a]\n", "unknown key 'directives'"),
        ("[directive]\na = 3", "must be a table"),
        ("[directive.a", "not valid TOML"),
    ],
)
def test_a_malformed_file_names_itself_and_the_fault(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=r"bad\.toml") as caught:
        Catalogue.load(path)
    assert says in str(caught.value)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot read catalogue"):
        Catalogue.load(tmp_path / "absent.toml")


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(CatalogueError, match="did you mean 'brief'"):
        Catalogue.builtin()["brif"]


def test_a_name_given_twice_is_refused() -> None:
    twice = Directive(name="a", instruction="x")
    with pytest.raises(CatalogueError, match="given twice"):
        Catalogue.of(twice, twice)


def test_the_small_catalogue_has_one_knob_each() -> None:
    assert [d.knobs for d in small_catalogue()] == [frozenset(), {"instruction"}, {"budget"}]


def test_what_leaves_the_answer_or_ends_exact_loops_alone_needs_no_judging() -> None:
    needless = {directive.name for directive in Catalogue.builtin() if not directive.needs_judging}
    assert needless == {
        "full",
        "shared_prefix",
        "kept_answers",
        "lookup",
        "self_draft",
        "static_cache",
        "no_loops",
    }
