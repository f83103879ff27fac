"""Pictures drawn from populations whose true figures are known, with and without clusters.

`benchmarks.statistics` draws from them again and again, and counts how often an interval holds the true figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats

Array = NDArray[Any]

CLUSTER_SIZES = {50: 5, 200: 10, 1000: 20}
"""Mean number of pictures in a cluster, by the number of pictures: 10, 20 and 50 clusters."""
RESEMBLANCE = 0.1
"""Intraclass correlation of outcomes within a cluster."""


@dataclass(frozen=True)
class Grouping:
    """The cluster of each picture and the number of clusters; each picture is its own without clusters."""

    of: Array
    count: int
    names: list[int] | None


def grouping(pictures: int, clustered: bool, rng: np.random.Generator) -> Grouping:
    """Clusters of unequal size: some have four times as many pictures as others."""
    if not clustered:
        return Grouping(np.arange(pictures), pictures, None)
    count = pictures // CLUSTER_SIZES.get(pictures, 10)
    shares = rng.dirichlet(np.full(count, 4.0))
    of = np.concatenate([np.arange(count), rng.choice(count, size=pictures - count, p=shares)])
    return Grouping(of, count, of.tolist())


def chances(mean: float, groups: Grouping, rng: np.random.Generator, resemblance: float = RESEMBLANCE) -> Array:
    """A probability for each picture, shared within its cluster: Beta distributed around `mean`."""
    if groups.names is None:
        return np.full(len(groups.of), mean)
    total = 1 / resemblance - 1
    return rng.beta(mean * total, (1 - mean) * total, size=groups.count)[groups.of]


@dataclass(frozen=True)
class Arms:
    """Outcomes of two arms on the same pictures."""

    reference: Array
    candidate: Array
    clusters: list[int] | None


def arms(
    pictures: int,
    clustered: bool,
    rng: np.random.Generator,
    *,
    accuracy: float = 0.85,
    discordance: float = 0.1,
    difference: float = 0.0,
) -> Arms:
    """Two arms whose discordant pairs come in clusters too: a cluster favours one of them."""
    groups = grouping(pictures, clustered, rng)
    shares = np.array([(discordance + difference) / 2, (discordance - difference) / 2])
    both = accuracy - shares[1]
    cells = np.array([both, *shares, 1 - both - discordance])
    if groups.names is None:
        drawn = rng.choice(4, size=pictures, p=cells)
    else:
        per_cluster = rng.dirichlet(cells * (1 / RESEMBLANCE - 1), size=groups.count).cumsum(axis=1)
        drawn = (rng.random(pictures)[:, None] > per_cluster[groups.of]).sum(axis=1).clip(0, 3)
    return Arms(np.isin(drawn, (0, 2)), np.isin(drawn, (0, 1)), groups.names)


@dataclass(frozen=True)
class Latencies:
    """Latencies of two arms on the same pictures, log-normal: slow pictures are slow in both."""

    reference: Array
    candidate: Array
    clusters: list[int] | None


LOG_RATIO = -0.3
PICTURE, NOISE = 0.4, 0.2


def latencies(pictures: int, clustered: bool, rng: np.random.Generator) -> Latencies:
    groups = grouping(pictures, clustered, rng)
    shared = RESEMBLANCE if clustered else 0.0
    of_cluster = rng.normal(0, np.sqrt(shared), size=groups.count)[groups.of]
    of_picture = rng.normal(0, np.sqrt(1 - shared), size=pictures)
    logs = PICTURE * (of_cluster + of_picture)
    before, after = (np.exp(logs + rng.normal(0, NOISE, size=pictures)) for _ in range(2))
    return Latencies(before, after * np.exp(LOG_RATIO), groups.names)


def true_gain() -> float:
    """Mean of candidate - reference."""
    mean = float(np.exp((PICTURE**2 + NOISE**2) / 2))
    return mean * (float(np.exp(LOG_RATIO)) - 1)


TICKS = 19.6
"""A coarse clock that makes ties: so many ticks a unit. Both medians are inside a tick, not at its end."""


def ticked(latencies: Array) -> Array:
    """The latencies by the coarse clock, in ticks."""
    return np.ceil(TICKS * latencies)


def ticked_log_ratio() -> float:
    return float(np.log(np.ceil(TICKS * np.exp(LOG_RATIO)) / np.ceil(TICKS)))


def latency_percentile(share: float) -> float:
    """The true percentile of the reference."""
    return float(np.exp(stats.norm.ppf(share) * np.hypot(PICTURE, NOISE)))


@dataclass(frozen=True)
class Confidences:
    """Confidences of labels and whether each is right."""

    confidences: Array
    right: Array
    clusters: list[int] | None


CONFIDENCE = stats.beta(6, 1.5)


def true_chance(confidence: Array | float, overconfidence: float) -> Any:
    """The probability that a label of this confidence is right."""
    return confidence - overconfidence * 4 * confidence * (1 - confidence)


def confidences(
    pictures: int, clustered: bool, rng: np.random.Generator, *, overconfidence: float = 0.15
) -> Confidences:
    groups = grouping(pictures, clustered, rng)
    reported = CONFIDENCE.rvs(size=pictures, random_state=rng)
    level = rng.random(groups.count)[groups.of]
    alone = rng.random(pictures)
    # A share of the pictures takes its luck from its cluster: they are right or wrong together.
    luck = np.where(rng.random(pictures) < np.sqrt(RESEMBLANCE), level, alone) if clustered else alone
    return Confidences(reported, luck < true_chance(reported, overconfidence), groups.names)


def mean_over_confidences(function: Callable[[Any], Any], low: float = 0.0, high: float = 1.0) -> float:
    """The integral of `function` over the distribution of the confidences."""
    return float(integrate.quad(lambda each: function(each) * CONFIDENCE.pdf(each), low, high, limit=200)[0])


def true_calibration_error(edges: Array, overconfidence: float) -> float:
    """Of bins with these edges."""
    return sum(
        abs(mean_over_confidences(lambda each: true_chance(each, overconfidence) - each, low, high))
        for low, high in pairwise(edges)
    )


def true_accuracy_above(overconfidence: float) -> Callable[[float], float]:
    """The accuracy of all labels with at least a confidence, as a function of it."""
    grid = np.linspace(0, 1, 4001)[:-1]
    mass = CONFIDENCE.pdf(grid)
    right = np.cumsum((true_chance(grid, overconfidence) * mass)[::-1])[::-1]
    shares = right / np.cumsum(mass[::-1])[::-1]
    return lambda threshold: float(np.interp(threshold, grid, shares))


@dataclass(frozen=True)
class Answers:
    """Answers of two arms, one of four kinds each, and the clusters of the pictures."""

    reference: list[int]
    candidate: list[int]
    clusters: list[int] | None


def answers(pictures: int, clustered: bool, rng: np.random.Generator, *, agreement: float) -> Answers:
    groups = grouping(pictures, clustered, rng)
    one = rng.integers(4, size=pictures)
    agree = rng.random(pictures) < chances(agreement, groups, rng)
    other = np.where(agree, one, (one + rng.integers(1, 4, size=pictures)) % 4)
    return Answers(one.tolist(), other.tolist(), groups.names)


def true_kappa(agreement: float) -> float:
    return 1 - (1 - agreement) / 0.75


def true_brier(overconfidence: float) -> float:
    def square(each: float) -> float:
        chance = true_chance(each, overconfidence)
        return float(chance * (1 - each) ** 2 + (1 - chance) * each**2)

    return mean_over_confidences(square)


def true_aurc(overconfidence: float) -> float:
    """Area under the risk-coverage curve of the whole population."""
    grid = CONFIDENCE.ppf(1 - (np.arange(20_000) + 0.5) / 20_000)
    risks = np.cumsum(1 - true_chance(grid, overconfidence)) / np.arange(1, 20_001)
    return float(risks.mean())
