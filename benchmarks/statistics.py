"""Whether the laboratory's statistics hold their promises, by simulation: coverage, false alarms, power.

    python -m benchmarks.statistics --json statistics.json

Pictures are drawn from populations whose true figures are known (`benchmarks.populations`): 50, 200 and 1,000 of them,
independent, or in 10, 20 and 50 albums of unequal size with an intraclass correlation of 0.1. Figures:

- `coverage_min`, `coverage_max`: the share of runs whose 95 % interval holds the true figure, least and most over all
  intervals, sizes and kinds of pictures; each has its own line, `coverage: INTERVAL, PICTURES, albums`;
- `false_alarms_anytime`: the share of 10,000 A/A experiments in which an e-value at 0.05 stops, looked at after every
  discordant pair; `false_alarms_mcnemar_peeking`: the same for the exact McNemar test; `..._albums`: on album level;
- `power_error`: the largest difference of the computed power and the share of simulated experiments with the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

from benchmarks import populations
from benchmarks.report import write_report
from onelook.lab.statistics.agreement import cohens_kappa
from onelook.lab.statistics.anytime import confidence_sequence, log_betting_e_values, log_sign_e_value
from onelook.lab.statistics.bootstrap import bootstrap_mean
from onelook.lab.statistics.calibration import brier, calibration_error
from onelook.lab.statistics.calibration_bins import Binning
from onelook.lab.statistics.clusters import cluster_mean
from onelook.lab.statistics.comparison import compare
from onelook.lab.statistics.interval import Interval
from onelook.lab.statistics.label_next import assisted_mean, disagreement_weights, draw, inclusion_probabilities
from onelook.lab.statistics.latency import latency_ratio, percentile
from onelook.lab.statistics.mcnemar import exact_p
from onelook.lab.statistics.paired_counts import PairedCounts
from onelook.lab.statistics.paired_difference import newcombe, paired_difference
from onelook.lab.statistics.power import Claim, pictures_needed, power
from onelook.lab.statistics.prediction_powered import prediction_powered_mean
from onelook.lab.statistics.proportions import proportion
from onelook.lab.statistics.risk_coverage import aurc, coverage_at
from onelook.lab.statistics.verdict import Verdict

SIZES = (50, 200, 1000)
ALPHA = 0.05
RESAMPLES = 400
BINS = 10
WIDTH = 120
OVERCONFIDENT = 0.15

Named = tuple[str, Interval, float]
"""The name of an interval, one of a run, and the true figure."""
Simulation = Callable[[int, bool, np.random.Generator], Iterator[Named]]


def accuracies(pictures: int, clustered: bool, rng: np.random.Generator) -> Iterator[Named]:
    for share in (0.85, 0.95):
        groups = populations.grouping(pictures, clustered, rng)
        right = rng.random(pictures) < populations.chances(share, groups, rng)
        yield f"proportion {share}", proportion(right, groups.names), share
    for difference in (0.0, 0.04):
        arms = populations.arms(pictures, clustered, rng, difference=difference)
        paired = paired_difference(arms.reference, arms.candidate, arms.clusters)
        yield f"paired_difference {difference}", paired, difference
        differences = arms.candidate.astype(float) - arms.reference
        yield f"cluster_mean of differences {difference}", cluster_mean(differences, arms.clusters), difference
        if not clustered:
            yield f"newcombe {difference}", newcombe(PairedCounts.of(arms.reference, arms.candidate)), difference
    for agreement in (0.8, 0.95):
        answers = populations.answers(pictures, clustered, rng, agreement=agreement)
        kappa = cohens_kappa(answers.reference, answers.candidate, answers.clusters)
        yield f"cohens_kappa, agreement {agreement}", kappa, populations.true_kappa(agreement)


def percentiles(pictures: int, clustered: bool, rng: np.random.Generator) -> Iterator[Named]:
    drawn = populations.latencies(pictures, clustered, rng)
    for share in (0.5, 0.95, 0.99):
        found = percentile(drawn.reference, share, drawn.clusters)
        yield f"percentile p{100 * share:g}", found, populations.latency_percentile(share)
    gain = cluster_mean(drawn.candidate - drawn.reference, drawn.clusters)
    yield "gain_by_part", gain, populations.true_gain()


def confidences(pictures: int, clustered: bool, rng: np.random.Generator) -> Iterator[Named]:
    binnings: tuple[Binning, ...] = ("equal width", "equal mass")
    for overconfidence in (0.0, OVERCONFIDENT):
        drawn = populations.confidences(pictures, clustered, rng, overconfidence=overconfidence)
        data = drawn.confidences, drawn.right, drawn.clusters
        name = "overconfident" if overconfidence else "calibrated"
        for binning in binnings:
            error = calibration_error(*data, rng=rng, binning=binning, count=BINS)
            yield f"calibration_error, {binning}, {name}", error, _true_error(binning, overconfidence)
        yield f"aurc, {name}", aurc(*data), _true_aurc(overconfidence)
        yield f"brier, {name}", brier(*data), _true_brier(overconfidence)
        kept = coverage_at(drawn.confidences, drawn.right, 0.9, drawn.clusters)
        if kept is not None:
            yield f"coverage_at 0.9, {name}", kept.accuracy, _true_above(overconfidence)(kept.threshold)


def few_labels(pictures: int, clustered: bool, rng: np.random.Generator) -> Iterator[Named]:
    """A fifth of the pictures have labels, at least 30. The estimates are of independent pictures."""
    if clustered:
        return
    labels = max(30, pictures // 5)
    confidence = populations.CONFIDENCE.rvs(size=pictures, random_state=rng)
    right = (rng.random(pictures) < confidence).astype(float)
    powered = prediction_powered_mean(right[:labels], confidence[:labels], confidence[labels:], least=0)
    yield "prediction_powered_mean, accuracy", powered, float(populations.CONFIDENCE.mean())
    disagree = rng.random(pictures) < 0.2
    difference = np.where(disagree, rng.choice([1.0, -1.0, 0.0], p=[0.5, 0.3, 0.2], size=pictures), 0.0)
    chances = inclusion_probabilities(disagreement_weights(disagree, 1 - confidence), labels)
    drawn, none = draw(chances, rng=rng), np.zeros(pictures)
    assisted = assisted_mean(right[drawn], chances[drawn], confidence[drawn], confidence, least=0)
    yield "assisted_mean, accuracy", assisted, float(right.mean())
    assisted = assisted_mean(difference[drawn], chances[drawn], none[drawn], none, least=-1)
    yield "assisted_mean, difference", assisted, float(difference.mean())


def resampled(pictures: int, clustered: bool, rng: np.random.Generator) -> Iterator[Named]:
    drawn = populations.latencies(pictures, clustered, rng)
    ratio = latency_ratio(drawn.reference, drawn.candidate, drawn.clusters, rng=rng, resamples=RESAMPLES)
    yield "latency_ratio", ratio, populations.LOG_RATIO
    before, after = populations.ticked(drawn.reference), populations.ticked(drawn.candidate)
    ties = latency_ratio(before, after, drawn.clusters, rng=rng, resamples=RESAMPLES)
    yield "latency_ratio, ties", ties, populations.ticked_log_ratio()
    arms = populations.arms(pictures, clustered, rng, difference=0.04)
    differences = arms.candidate.astype(float) - arms.reference
    mean = bootstrap_mean(differences, arms.clusters, rng=rng, resamples=RESAMPLES)
    yield "bootstrap_mean of differences 0.04", mean, 0.04
    yield "confidence_sequence 0.04", confidence_sequence(differences, arms.clusters), 0.04


SIMULATIONS: dict[Simulation, int] = {accuracies: 1, percentiles: 1, confidences: 2, few_labels: 1, resampled: 4}
"""Each simulation with what its number of runs is divided by: a bootstrap takes long."""


def coverage(simulation: Simulation, pictures: int, clustered: bool, runs: int) -> dict[str, float]:
    """The share of `runs` whose interval holds the truth, by the interval's name."""
    rng = np.random.default_rng([pictures, clustered])
    held: dict[str, list[bool]] = {}
    for _ in range(runs):
        for name, interval, truth in simulation(pictures, clustered, rng):
            held.setdefault(name, []).append(interval.low <= truth <= interval.high)
    return {name: float(np.mean(each)) for name, each in held.items()}


def false_alarms(runs: int, pairs: int = 200, albums: int = 50) -> dict[str, float]:
    """Shares of experiments without a difference that are stopped at 0.05, by how they are looked at."""
    rng = np.random.default_rng(0)
    seen = np.arange(1, pairs + 1)
    wins = np.cumsum(rng.random((runs, pairs)) < 0.5, axis=1)
    looks = np.arange(9, pairs, 10)
    p_values = np.stack([exact_p(np.arange(pairs + 1), np.full(pairs + 1, each)) for each in seen[looks]])
    peeked = p_values[np.arange(len(looks)), wins[:, looks]] <= ALPHA
    level = -np.log(ALPHA)
    favours = rng.dirichlet(np.array([0.05, 0.05, 0.9]) * 9, size=(runs, albums))
    drawn = rng.multinomial(20, favours)
    won, lost = drawn[..., 0], drawn[..., 1]
    by_album = [
        (log_betting_e_values((won - lost)[first : first + 1000] / 20) >= level).any(axis=1)
        for first in range(0, runs, 1000)
    ]
    by_picture = log_sign_e_value(won.cumsum(axis=1), lost.cumsum(axis=1)) >= level
    return {
        "false_alarms_anytime": float((log_sign_e_value(wins, seen - wins) >= level).any(axis=1).mean()),
        "false_alarms_mcnemar_peeking": float(peeked.any(axis=1).mean()),
        "false_alarms_mcnemar_once": float(peeked[:, -1].mean()),
        "false_alarms_anytime_albums": float(np.concatenate(by_album).mean()),
        "false_alarms_anytime_albums_as_pictures": float(by_picture.any(axis=1).mean()),
    }


DESIGNS: tuple[tuple[float, float, Claim, float], ...] = (
    (0.1, 0.06, "different", 0.0),
    (0.2, 0.08, "different", 0.0),
    (0.1, 0.0, "not worse", 0.04),
)
"""Discordance, difference, claim and margin."""


def power_errors(runs: int) -> dict[str, float]:
    """Computed power of the needed number of pictures, minus the simulated share of verdicts."""
    rng = np.random.default_rng(1)
    found = {}
    for discordance, difference, claim, margin in DESIGNS:
        size = pictures_needed(discordance, difference, claim=claim, margin=margin)
        shown = 0
        for _ in range(runs):
            arms = populations.arms(size, False, rng, discordance=discordance, difference=difference)
            verdict = compare(arms.reference, arms.candidate, margin=margin).verdict
            shown += verdict is Verdict.BETTER or (claim == "not worse" and verdict is Verdict.NOT_WORSE)
        computed = power(size, discordance, difference, claim=claim, margin=margin)
        found[f"power: {claim}, {difference:g} of {discordance:g}, {size} pictures"] = computed - shown / runs
    return found


@cache
def _true_error(binning: Binning, overconfidence: float) -> float:
    edges = np.linspace(0, 1, BINS + 1)
    return populations.true_calibration_error(
        edges if binning == "equal width" else populations.CONFIDENCE.ppf(edges), overconfidence
    )


@cache
def _true_aurc(overconfidence: float) -> float:
    return populations.true_aurc(overconfidence)


@cache
def _true_brier(overconfidence: float) -> float:
    return populations.true_brier(overconfidence)


@cache
def _true_above(overconfidence: float) -> Callable[[float], float]:
    return populations.true_accuracy_above(overconfidence)


def main(
    runs: Annotated[int, typer.Option(help="Runs a cell. 2000 give each coverage to about 0.5 points.")] = 2000,
    quick: Annotated[bool, typer.Option(help="200 runs: shows gross faults within a minute.")] = False,
    experiments: Annotated[int, typer.Option(help="A/A experiments for the false alarms.")] = 10_000,
    json: Annotated[Path | None, typer.Option(help="Write the figures here.")] = None,
) -> None:
    """Simulate, print a table of coverage, and write the figures."""
    runs = 200 if quick else max(runs, max(SIMULATIONS.values()))
    cells = [(simulation, size, albums) for simulation in SIMULATIONS for size in SIZES for albums in (False, True)]
    covered: dict[str, dict[tuple[int, bool], float]] = {}
    for simulation, size, albums in track(cells, "coverage", console=Console(stderr=True)):
        for name, share in coverage(simulation, size, albums, runs // SIMULATIONS[simulation]).items():
            covered.setdefault(name, {})[size, albums] = share
    columns = [(size, albums) for albums in (False, True) for size in SIZES]
    table = Table(
        Column("95 % interval", no_wrap=True), *(f"{size:,}{' albums' if albums else ''}" for size, albums in columns)
    )
    for name, shares in covered.items():
        table.add_row(name, *(f"{shares[each]:.1%}" if each in shares else "" for each in columns))
    alarms, errors = false_alarms(experiments), power_errors(max(50, 2 * runs))
    every = [share for each in covered.values() for share in each.values()]
    figures: dict[str, float | int | str | None] = {
        **alarms,
        "coverage_min": min(every),
        "coverage_max": max(every),
        "power_error": max(map(abs, errors.values())),
        "runs": runs,
        **errors,
        **{
            f"coverage: {name}, {size}{', albums' if albums else ''}": share
            for name, each in covered.items()
            for (size, albums), share in each.items()
        },
    }
    console = Console(width=WIDTH)
    console.print(table)
    for name in (*alarms, "coverage_min", "coverage_max", "power_error"):
        console.print(f"{name} {figures[name]}")
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    typer.run(main)
