"""Which pictures to label next, and the estimate from them that is unbiased although they are no fair sample.

Every picture has a known probability to be drawn, larger where a label says more (where the arms disagree, where a
confidence is low) and never 0. The estimate divides by it (Horvitz & Thompson 1952, JASA 47:663-685).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Bools, Floats, Ints, check_alpha, floats, same_length
from onelook.lab.statistics.interval import Caveat, Interval

FLOOR = 0.1
"""The part of the draw that is uniform, so that no picture has a probability near 0 and a huge weight."""


def disagreement_weights(disagree: ArrayLike, uncertainty: ArrayLike | None = None) -> Floats:
    """Weights for `inclusion_probabilities`: the standard deviation that a picture's outcome may have.

    `disagree`: True where the arms' answers differ. `uncertainty`: 1 - confidence, the larger of both arms; None: not
    known. A disagreement weighs 1; an agreement sqrt(u (1 - u)), at most 1/2. Weights in proportion to the standard
    deviation give the least variance (Neyman 1934, JRSS 97:558-625; for labels, Zrnic & Candes 2024, arXiv 2403.03208).
    """
    differ = np.asarray(disagree, dtype=bool)
    if uncertainty is None:
        return np.where(differ, 1.0, 0.0)
    unsure = np.clip(floats(uncertainty, "uncertainty"), 0.0, 1.0)
    same_length(disagree=differ, uncertainty=unsure)
    return np.where(differ, 1.0, np.sqrt(unsure * (1 - unsure)))


def inclusion_probabilities(weights: ArrayLike, labels: int, *, floor: float = FLOOR) -> Floats:
    """Each picture's probability to be among `labels` drawn ones: in proportion to `weights`, at most 1, sum `labels`.

    `floor`: the part of the draw that is uniform, above 0.

    Raises:
        UserError: negative weights, more labels than pictures, none, or a floor outside 0 (not included) to 1.
    """
    found = floats(weights, "weights")
    if (found < 0).any():
        raise UserError("weights cannot be negative")
    if not 1 <= labels <= len(found):
        raise UserError(f"{labels} labels from {len(found)} pictures", hint=f"use 1 to {len(found)}")
    if not 0 < floor <= 1:
        raise UserError(f"floor is {floor}, and must be above 0 and at most 1: else some pictures are never drawn")
    uniform = np.full(len(found), 1 / len(found))
    mixed = floor * uniform + (1 - floor) * (found / found.sum() if found.sum() else uniform)
    certain = np.zeros(len(found), dtype=bool)
    while True:
        rest = labels - int(certain.sum())
        probabilities = np.where(certain, 1.0, rest * mixed / max(mixed[~certain].sum(), 1e-300))
        above = (probabilities > 1 - 1e-12) & ~certain
        if not above.any():
            return np.asarray(probabilities, dtype=np.float64)
        certain |= above


def draw(probabilities: ArrayLike, *, rng: np.random.Generator) -> Ints:
    """The positions of the drawn pictures, in rising order; as many as the probabilities sum to.

    Systematic sampling in random order (Madow 1949, Annals of Mathematical Statistics 20:333-354; Hartley & Rao 1962,
    ibid. 33:350-374): the size is fixed and each picture is drawn with exactly its probability.
    """
    found = floats(probabilities, "probabilities")
    order = rng.permutation(len(found))
    reached = np.cumsum(found[order])
    reached[-1] = np.round(reached[-1])  # whole up to rounding, which must not lose or add a picture at the end
    start = 1 - rng.random()  # above 0 and up to 1: the first step is below 0 always
    taken = np.diff(np.floor(reached - start), prepend=-1.0) > 0
    return np.sort(order[taken])


def horvitz_thompson(outcomes: ArrayLike, probabilities: ArrayLike, pictures: int, *, alpha: float = 0.05) -> Interval:
    """The mean over all `pictures`, from those that were drawn and their `probabilities`: sum(outcome / p) / pictures.

    Unbiased. Variance by Hajek's approximation for fixed-size draws (1964, Annals of Mathematical Statistics
    35:1491-1523), with Student's t. For a paired difference, outcomes are candidate - reference.

    Raises:
        UserError: fewer than two drawn pictures, or different lengths.
    """
    values, chances = _drawn(outcomes, probabilities)
    return _total(values, chances, 0.0, pictures, alpha, "Horvitz-Thompson")


def hajek(outcomes: ArrayLike, probabilities: ArrayLike, pictures: int, *, alpha: float = 0.05) -> Interval:
    """The same as a ratio: sum(outcome / p) / sum(1 / p).

    Hajek 1971. A bias of order 1 / drawn pictures, and usually less variance for a share that is far from 0, such as
    accuracy; for differences, which are 0 nearly everywhere, `horvitz_thompson` is better.
    """
    values, chances = _drawn(outcomes, probabilities)
    mean = float((values / chances).sum() / (1 / chances).sum())
    found = _total(values - mean, chances, 0.0, pictures, alpha, "Hajek")
    return Interval(mean, mean + found.low - found.estimate, mean + found.high - found.estimate, 1 - alpha, "Hajek")


def assisted_mean(
    outcomes: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike,
    all_predicted: ArrayLike,
    *,
    alpha: float = 0.05,
) -> Interval:
    """The mean over all pictures, helped by a prediction for each: mean(all_predicted) + the mean correction.

    The difference estimator (Saerndal, Swensson & Wretman 1992, Model Assisted Survey Sampling, section 6.3); with
    model predictions it is active statistical inference (Zrnic & Candes 2024). Unbiased, whatever the predictions are.
    The mean is that of exactly these pictures: `all_predicted` has no sampling error.

    Raises:
        UserError: fewer than two drawn pictures, or different lengths.
    """
    values, chances = _drawn(outcomes, probabilities)
    guess, everyone = floats(predicted, "predicted"), floats(all_predicted, "all_predicted")
    same_length(outcomes=values, predicted=guess)
    return _total(values - guess, chances, float(everyone.mean()), len(everyone), alpha, "difference estimator")


def _drawn(outcomes: ArrayLike, probabilities: ArrayLike) -> tuple[Floats, Floats]:
    values, chances = floats(outcomes, "outcomes"), floats(probabilities, "probabilities")
    same_length(outcomes=values, probabilities=chances)
    if len(values) < 2:
        raise UserError("one labelled picture has no interval", hint="label at least 30")
    if not ((chances > 0) & (chances <= 1)).all():
        raise UserError("probabilities must be above 0 and at most 1: those with which the pictures were drawn")
    return values, chances


def _total(values: Floats, chances: Floats, start: float, pictures: int, alpha: float, method: str) -> Interval:
    check_alpha(alpha)
    expanded = values / chances
    uncertain: Bools = chances < 1
    drawn = int(uncertain.sum())
    estimate = start + float(expanded.sum()) / pictures
    variance = 0.0
    if drawn > 1:
        shares = 1 - chances[uncertain]
        center = float((shares * expanded[uncertain]).sum() / shares.sum())
        variance = drawn / (drawn - 1) * float((shares * (expanded[uncertain] - center) ** 2).sum()) / pictures**2
    reach = float(stats.t.ppf(1 - alpha / 2, max(1, drawn - 1)) * np.sqrt(variance))
    caveats: tuple[Caveat, ...] = (Caveat.FEW_OBSERVATIONS,) if len(values) < 30 else ()
    caveats += (Caveat.NO_VARIATION,) if drawn and not variance else ()
    return Interval(estimate, estimate - reach, estimate + reach, 1 - alpha, method, caveats)
