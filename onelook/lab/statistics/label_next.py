"""Which pictures to label next, and the estimate from them that is unbiased although they are no fair sample.

Every picture has a known probability to be drawn, larger where a label says more (where the arms disagree, where a
confidence is low) and never 0. The estimate divides by it (Horvitz & Thompson 1952, JASA 47:663-685).

    weights = disagreement_weights(before != after, uncertainty)
    chances = inclusion_probabilities(weights, 30)
    drawn = draw(chances, rng=rng)              # label these
    assisted_mean(outcomes, chances[drawn], predicted[drawn], predicted, least=-1)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Bools, Floats, Ints, check_alpha, floats, same_length
from onelook.lab.statistics.bounded import Least, bounded_interval, check_least
from onelook.lab.statistics.interval import Interval

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


def assisted_mean(
    outcomes: ArrayLike,
    probabilities: ArrayLike,
    predicted: ArrayLike,
    all_predicted: ArrayLike,
    *,
    least: Least,
    alpha: float = 0.05,
) -> Interval:
    """The mean over all pictures, from the drawn ones and a prediction for each: mean(all_predicted) + correction.

    `outcomes`, from `least` to 1, `probabilities` and `predicted` are of the drawn pictures; `all_predicted` is of all.
    The correction is sum((outcome - predicted) / probability) / pictures: the difference estimator (Saerndal, Swensson
    & Wretman 1992, Model Assisted Survey Sampling, section 6.3); with model predictions, active statistical inference
    (Zrnic & Candes 2024, arXiv 2403.03208). Predictions of 0 give Horvitz and Thompson's estimate, which suits
    differences; for accuracy, a constant such as 0.8 is better than none. It is unbiased, whatever the predictions are,
    until it is cut to `least` to 1. The mean is that of exactly these pictures, so `all_predicted` has no sampling
    error.

    Variance by Hajek's approximation for fixed-size draws (1964, Annals of Mathematical Statistics 35:1491-1523); the
    interval is that of `bounded_interval`.

    Raises:
        UserError: fewer than two drawn pictures, different lengths, outcomes outside `least` to 1, or probabilities
            outside 0 (not included) to 1.
    """
    check_alpha(alpha)
    values, chances = floats(outcomes, "outcomes"), floats(probabilities, "probabilities")
    guess, everyone = floats(predicted, "predicted"), floats(all_predicted, "all_predicted")
    same_length(outcomes=values, probabilities=chances, predicted=guess)
    check_least(values, least)
    if len(values) < 2:
        raise UserError("one labelled picture has no interval", hint="label at least 30")
    if not ((chances > 0) & (chances <= 1)).all():
        raise UserError("probabilities must be above 0 and at most 1: those with which the pictures were drawn")
    expanded = (values - guess) / chances
    estimate = float(everyone.mean() + expanded.sum() / len(everyone))
    method = "difference estimator"
    uncertain: Bools = chances < 1
    drawn = int(uncertain.sum())
    if not drawn:
        return Interval(estimate, estimate, estimate, 1 - alpha, f"{method}, all pictures are labelled")
    shares = 1 - chances[uncertain]
    center = float((shares * expanded[uncertain]).sum() / shares.sum())
    variance = float((shares * (expanded[uncertain] - center) ** 2).sum()) / len(everyone) ** 2
    variance *= drawn / max(1, drawn - 1)
    freedom = max(1, drawn - 1)  # a picture that was certain to be drawn says nothing about the spread
    return bounded_interval(estimate, variance, len(values), least=least, alpha=alpha, method=method, freedom=freedom)
