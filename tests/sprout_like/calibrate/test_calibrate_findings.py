"""What a profile says in words, on the terminal and as data."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from directives.profile import LeftOut, Profile
from sprout_like.calibrate.data import as_data
from sprout_like.calibrate.findings import findings
from sprout_like.calibrate.machine import CpuSeconds, OtherWork, cpu_seconds
from sprout_like.calibrate.render import report
from sprout_like.calibrate.sample import Sample
from sprout_like.reports.machine import to_json

MakeSample = Callable[..., Sample]
MakeProfile = Callable[[Sequence[Sample]], Profile]


def said(profile: Profile, beginning: str) -> str:
    return next(sentence for sentence in findings(profile) if sentence.startswith(beginning))


def printed(profile: Profile) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80, emoji=False).print(report(profile), highlight=False)
    return stream.getvalue()


def test_a_draft_is_said_to_cost_where_it_costs(profile: Profile) -> None:
    assert said(profile, "Speculation, lookup") == (
        "Speculation, lookup: energy against full +25.0 % (± 5.6) on question (costs)."
    )


def test_a_draft_is_said_to_save_where_it_saves(make_sample: MakeSample, make_profile: MakeProfile) -> None:
    samples = [make_sample("full", n, energy_j=10.0) for n in range(3)]
    samples += [make_sample("lookup", n, energy_j=6.0 + n / 10) for n in range(3)]

    assert "-39.0 % (± 2.5) on question (saves)" in said(make_profile(samples), "Speculation, lookup")


def test_what_one_trial_or_an_interval_over_zero_cannot_tell_is_not_told(
    make_sample: MakeSample, make_profile: MakeProfile
) -> None:
    once = make_profile([make_sample("full"), make_sample("lookup", energy_j=20.0)])
    noisy = [make_sample("full", n) for n in (0, 1)] + [make_sample("lookup", n, energy_j=5.0 + 11 * n) for n in (0, 1)]

    assert "+100.0 % (one trial) on question (not told apart)" in said(once, "Speculation")
    assert "(not told apart)" in said(make_profile(noisy), "Speculation")


def test_brevity_is_told_with_what_it_costs_in_likeness(profile: Profile) -> None:
    sentence = said(profile, "Brevity, short")

    assert "-50.0 %" in sentence
    assert "over 2 workloads" in sentence
    assert "likeness to full's answers of 0.67" in sentence


def test_batching_is_told_per_request_and_per_token(profile: Profile) -> None:
    sentence = said(profile, "Batching 8 requests")

    assert "2.00 ± 0.03 J per request instead of 10.00 ± 0.25 J: -80.0 %" in sentence
    assert "per generated token -80.0 %" in sentence


def test_the_order_follows_the_figures(profile: Profile, make_sample: MakeSample, make_profile: MakeProfile) -> None:
    assert said(profile, "In order").index("a batch of 8") < said(profile, "In order").index("short")

    samples = [make_sample("full", n) for n in range(3)] + [make_sample("short", n, energy_j=1.0) for n in range(3)]
    samples += [make_sample("full", n, workload=1, rows=8, energy_j=72.0) for n in range(3)]
    slow_batch = said(make_profile(samples), "In order")
    assert slow_batch.index("short") < slow_batch.index("a batch of 8")


def test_what_is_dominated_is_named_with_its_rival(profile: Profile) -> None:
    assert "lookup (by full on question)" in said(profile, "Dominated wherever measured")


def test_a_lossless_directive_that_answers_otherwise_is_named(
    make_sample: MakeSample, make_profile: MakeProfile, profile: Profile
) -> None:
    off = make_profile([make_sample("full"), make_sample("lookup", answer="something else")])

    assert "lookup on question (0 % the same)" in said(off, "Lossless in exact arithmetic")
    assert not any(sentence.startswith("Lossless") for sentence in findings(profile))


def test_nothing_is_said_of_what_was_not_measured(make_sample: MakeSample, make_profile: MakeProfile) -> None:
    assert findings(make_profile([make_sample("full", n) for n in range(3)])) == []


def test_unknown_energy_is_told_in_time(make_sample: MakeSample, make_profile: MakeProfile) -> None:
    samples = [make_sample("full", n, energy_j=None) for n in range(3)]
    samples += [make_sample("lookup", n, energy_j=None, engine_s=3.0) for n in range(3)]
    found = replace(make_profile(samples), energy_method="none", meter="none")

    assert "time against full +50.0 %" in said(found, "Speculation")
    assert "Energy is unknown (meter none)" in printed(found)
    assert "–" in printed(found)


def test_the_report_fits_a_terminal_and_says_what_was_left_out(profile: Profile) -> None:
    left = (LeftOut(directive="lookup", workload="question x8", reason="draft: a batch of 8"),)
    text = printed(replace(profile, left_out=left))

    assert max(map(len, text.splitlines())) <= 80
    assert "lookup on question x8: draft: a batch of 8" in text
    assert "lookup =*" in text  # lossless and dominated
    assert "not whether it is worse" in " ".join(text.split())


def test_the_data_holds_the_cells_with_their_intervals_and_the_findings(profile: Profile) -> None:
    data = json.loads(to_json(as_data(profile)))

    lookup = next(cell for cell in data["cells"] if cell["directive"] == "lookup")
    assert lookup["bin"]["task"] == "question"
    assert lookup["dominated_by"] == "full"
    assert set(lookup["energy_j"]) == {"mean", "sd", "n", "low", "high"}
    assert data["findings"] == findings(profile)
    assert data["measure"] == "energy"
    assert [point["directive"] for point in data["points"]] == ["full", "short", "lookup"]


def test_a_busy_machine_is_said_before_all_else(profile: Profile) -> None:
    busy = replace(profile, settings={**profile.settings, "other_cpu_share": 0.42})

    assert findings(busy)[0].startswith("Other processes took 42 % of the processor meanwhile")
    assert findings(replace(profile, settings={**profile.settings, "other_cpu_share": 0.02})) == findings(profile)


def test_the_share_of_other_processes_leaves_out_our_own() -> None:
    readings = iter([CpuSeconds(50.0, 100.0, 20.0), CpuSeconds(66.0, 120.0, 30.0), CpuSeconds(50.0, 100.0, 20.0)])
    watched = OtherWork(lambda: next(readings))

    assert watched.share() == pytest.approx(0.3)  # busy for 16 s of 20, and 10 of them were ours
    assert watched.share() is None


def test_the_processors_time_is_read() -> None:
    now = cpu_seconds()

    assert 0 < now.own_s <= now.busy_s <= now.total_s
