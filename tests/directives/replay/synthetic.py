"""Prompts and windows small enough to reckon by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from directives.replay import Experiment, Prompts, Window, Year
from directives.replay.data import Floats, Indices
from directives.replay.scheme import Judged
from directives.replay.traffic import Served

DIRECTIVES = ("full", "brief", "very_brief")
YEAR = Year(lowest_g_per_kwh=50.0, highest_g_per_kwh=400.0, mean_g_per_kwh=200.0)


def prompts_of(
    task: Sequence[int],
    energy_j: Sequence[Sequence[float]],
    quality: Sequence[Sequence[float]],
    *,
    text: Sequence[str] | None = None,
) -> Prompts:
    """As given; an answer takes 1 s per 250 J."""
    energy = np.array(energy_j, dtype=float)
    return Prompts(
        tasks=("sums", "songs")[: max(task) + 1],
        directives=DIRECTIVES[: energy.shape[1]],
        task=np.array(task, dtype=np.int64),
        energy_j=energy,
        time_s=energy / 250,
        quality=np.array(quality, dtype=float),
        text=np.array(text or [f"prompt {i}" for i in range(len(task))], dtype=object),
    )


def random_prompts(rng: np.random.Generator, per_task: int = 150) -> Prompts:
    """Two tasks, of which one bears brevity well and the other badly; prompts of many lengths."""
    task = np.repeat([0, 1], per_task)
    odds = np.array([[0.7, 0.4, 0.2], [0.5, 0.7, 0.6]])[task]
    energy_j = np.array([1000.0, 300.0, 200.0]) * rng.uniform(0.5, 1.5, (len(task), 1))
    quality = (rng.random(odds.shape) < odds).astype(float)
    text = ["word " * int(n) for n in rng.integers(1, 40, len(task)) * (1 + task)]
    return prompts_of(task.tolist(), energy_j.tolist(), quality.tolist(), text=text)


def window_of(
    intensity_g_per_kwh: Sequence[float],
    mix: Sequence[Sequence[float]],
    *,
    requests_per_hour: int = 60,
    embodied_g_per_s: float = 0.0,
) -> Window:
    """With a past of two days like the first hour."""
    return Window(
        intensity_g_per_kwh=np.array(intensity_g_per_kwh, dtype=float),
        past_g_per_kwh=np.full(48, float(intensity_g_per_kwh[0])),
        mix=np.array(mix, dtype=float),
        requests_per_hour=requests_per_hour,
        embodied_g_per_s=embodied_g_per_s,
    )


def random_window(rng: np.random.Generator, hours: int, requests_per_hour: int = 240) -> Window:
    """Any intensities; a mix that changes every eight hours."""
    share = np.repeat(rng.uniform(0.1, 0.9, -(-hours // 8)), 8)[:hours]
    mix = np.stack([share, 1 - share], axis=1)
    return window_of(rng.uniform(60, 390, hours).tolist(), mix.tolist(), requests_per_hour=requests_per_hour)


def experiment_of(prompts: Prompts, window: Window, **given: object) -> Experiment:
    """In a year of 50 to 400 g/kWh."""
    return Experiment(prompts=prompts, window=window, year=YEAR, **given)  # type: ignore[arg-type]


@dataclass
class Always:
    """Serves one directive, tells no prompt apart, and has judged what it is given."""

    strata: Indices
    directive: int = 0
    evaluations: Sequence[Judged] = ()
    told: list[Served] = field(default_factory=list)

    def begin(self, hour: int, intensity_g_per_kwh: float) -> None:
        pass

    def serve(self, prompt: Indices, uniform: Floats) -> Indices:
        return np.full(len(prompt), self.directive)

    def observe(self, served: Served) -> None:
        self.told.append(served)


@dataclass
class ByPrompt(Always):
    """Serves each prompt the directive that is given for it."""

    directives: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def serve(self, prompt: Indices, uniform: Floats) -> Indices:
        return self.directives[prompt]
