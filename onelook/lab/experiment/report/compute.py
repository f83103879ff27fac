"""The figures of an experiment, from its design and its recorded outcomes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

from onelook.lab.experiment.anytime import anytime_verdicts, arm_differences
from onelook.lab.experiment.design import Design
from onelook.lab.experiment.outcomes import Outcome, Runs, read_runs
from onelook.lab.experiment.report.accuracy import aa_accuracy, accuracy_comparisons, accuracy_of, cochran_q_p
from onelook.lab.experiment.report.confidence import calibration_of
from onelook.lab.experiment.report.latency import latency_comparisons, latency_of
from onelook.lab.experiment.report.load import load_figures
from onelook.lab.experiment.report.model import (
    AccuracyComparison,
    Agreement,
    AnytimeStop,
    ArmFigures,
    Estimate,
    LatencyComparison,
    Report,
    Verdicts,
)
from onelook.lab.experiment.report.recorded import Recorded
from onelook.lab.experiment.report.remarks import deviations, notes
from onelook.lab.experiment.report.sentences import sentence
from onelook.lab.statistics.agreement import agreement, cohens_kappa
from onelook.lab.statistics.anytime import betting_e_value, confidence_sequence, not_worse_e_value
from onelook.lab.statistics.verdict import Verdict, combined_verdict


def read_report(folder: Path) -> tuple[Report, Recorded]:
    """The figures of the experiment in `folder`.

    Raises:
        ExperimentError: there is none, or a file of it is broken.
    """
    recorded = read_recorded(folder)
    return compute(recorded, Design.read(folder)[1]), recorded


def read_recorded(folder: Path) -> Recorded:
    """The outcomes of the experiment in `folder`.

    Raises:
        ExperimentError: there is none, or a file of it is broken.
    """
    design, written = Design.read(folder)
    return Recorded(design, read_runs(folder, written))


def compute(recorded: Recorded, written: str) -> Report:
    """`written`: the hash that the design was written with."""
    design, runs = recorded.design, recorded.runs
    accuracy = accuracy_comparisons(recorded)
    latency = latency_comparisons(recorded, recorded.arms[1:])
    deviating = deviations(recorded, written)
    aa = latency_comparisons(recorded, [recorded.again]) if design.aa else []
    return Report(
        design=written,
        primary=design.primary,
        baseline=design.baseline,
        as_designed=not deviating,
        deviations=tuple(en for en, _ in deviating),
        notes=tuple(en for en, _ in notes(recorded, aa)),
        pictures=len(recorded.asked(*recorded.arms)),
        clusters=None if design.clusters is None else len(set(design.clusters)),
        margin=design.margin,
        latency_margin=design.latency_margin,
        alpha=design.alpha,
        power=design.power,
        caches=design.passes,
        arms=tuple(_arm(recorded, arm) for arm in recorded.arms),
        verdicts=tuple(_verdicts(recorded, arm, accuracy, latency) for arm in recorded.arms[1:]),
        accuracy=tuple(accuracy),
        latency=tuple(latency),
        agreement=tuple(found for arm in design.names[1:] if (found := _agreement(recorded, arm)) is not None),
        cochran_q_p=cochran_q_p(recorded),
        aa_accuracy=aa_accuracy(recorded),
        aa_latency=tuple(aa),
        anytime=tuple(_anytime(recorded)),
        load=load_figures(design, runs.load),
        warm_up={arm: _warm_up(runs, arm) for arm in recorded.arms},
    )


def _arm(recorded: Recorded, arm: str) -> ArmFigures:
    outcomes = [recorded.outcome(each, arm) for each in recorded.asked(arm)]
    failed = [each for each in outcomes if each.status == "failed"]
    return ArmFigures(
        name=arm,
        pictures=len(outcomes),
        failed=len(failed),
        needs_review=sum(each.status == "needs_review" for each in outcomes),
        errors=dict(sorted(Counter(each.errors[-1].kind for each in failed if each.errors).items())),
        accuracy=accuracy_of(recorded, arm),
        latency=latency_of(recorded, arm),
        prompt_tokens=_mean([each.usage.prompt_tokens for each in outcomes]),
        completion_tokens=_mean([each.usage.completion_tokens for each in outcomes]),
        calibration=calibration_of(recorded, arm),
        models=tuple(sorted({each.model for each in outcomes if each.status != "failed"})),
    )


def _mean(values: Sequence[int | None]) -> float | None:
    known = [each for each in values if each is not None]
    return fmean(known) if known else None


def _verdicts(
    recorded: Recorded, arm: str, accuracy: Sequence[AccuracyComparison], latency: Sequence[LatencyComparison]
) -> Verdicts:
    design = recorded.design
    metric = "record" if design.primary == "latency" else design.primary
    right = next((each for each in accuracy if each.arm == arm and each.metric == metric), None)
    timed = next((each for each in latency if each.arm == arm), None)
    quick = None if timed is None else timed.verdict
    known = None if right is None else right.verdict
    if design.stop == "anytime":
        known = anytime_verdicts(design, recorded.runs.outcomes)[arm]
    primary = (quick if design.primary == "latency" else known) or Verdict.NOT_KNOWN
    return Verdicts(
        arm=arm,
        primary=primary,
        latency=quick,
        together=None if known is None or quick is None else combined_verdict(known, quick),
        sentence=sentence(arm, design.baseline, right, known or Verdict.NOT_KNOWN, timed, margin=design.margin),
    )


def _agreement(recorded: Recorded, arm: str) -> Agreement | None:
    design = recorded.design
    pictures = recorded.asked(design.baseline, arm)
    if not pictures:
        return None
    clusters, alpha = recorded.clusters(pictures), design.alpha
    before, after = ([_answer(recorded.outcome(each, name)) for each in pictures] for name in (design.baseline, arm))
    one, other = ([answer.partition(" ")[0] for answer in answers] for answers in (before, after))
    return Agreement(
        arm=arm,
        records=Estimate.of(agreement(before, after, clusters, alpha=alpha)),
        categories=Estimate.of(agreement(one, other, clusters, alpha=alpha)),
        kappa=Estimate.of(cohens_kappa(one, other, clusters, alpha=alpha)),
    )


def _answer(outcome: Outcome) -> str:
    if outcome.answer is None or outcome.status == "failed":
        return "failed"
    return f"{outcome.answer.category} {outcome.answer.model_dump_json()}"


def _anytime(recorded: Recorded) -> list[AnytimeStop]:
    design = recorded.design
    if design.stop != "anytime":
        return []
    alpha = design.alpha / (len(design.arms) - 1)
    found = []
    for arm, (differences, clusters) in arm_differences(design, recorded.runs.outcomes).items():
        if len(set(clusters or range(len(differences)))) < 2:
            continue
        found.append(
            AnytimeStop(
                arm=arm,
                different=betting_e_value(differences, clusters).value,
                not_worse=not_worse_e_value(differences, design.margin, clusters).value,
                wanted=1 / alpha,
                difference=Estimate.of(confidence_sequence(differences, clusters, alpha=alpha)),
            )
        )
    return found


def _warm_up(runs: Runs, arm: str) -> float | None:
    times = [each.latency_ms for each in runs.warm_ups if each.arm == arm]
    return median(times) if times else None
