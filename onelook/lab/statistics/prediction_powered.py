"""Many pictures without labels, a few with: an estimate that uses both and stays unbiased."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, check_alpha, floats, same_length
from onelook.lab.statistics.bounded import Least, bounded_interval, check_least
from onelook.lab.statistics.interval import Interval


def prediction_powered_mean(
    labelled: ArrayLike,
    predicted: ArrayLike,
    unlabelled_predicted: ArrayLike,
    *,
    least: Least,
    alpha: float = 0.05,
    weight: float | None = None,
) -> Interval:
    """The mean of an outcome over all pictures, from labels of a random subset and predictions for all.

    `labelled`: the outcome of each labelled picture, from `least` to 1 (right or not; for a paired difference,
    candidate - reference). `predicted`: a prediction of it for the same pictures, such as the confidence (for a
    difference, the confidence of the candidate minus that of the reference; 0 where both give the same answer).
    `unlabelled_predicted`: the same for the others. The predictions can be wrong: that costs width, not truth. The
    labelled pictures must be a simple random sample; for others see `label_next`.

    mean(labelled) + weight * (mean(unlabelled_predicted) - mean(predicted)). Weight 1 is prediction-powered inference
    (Angelopoulos et al. 2023, Science 382:669-674); None chooses the weight of least variance (PPI++, Angelopoulos,
    Duchi & Zrnic 2023, arXiv 2311.01453), which is never much worse than the labels alone; 0 is the labels alone. The
    interval is that of `bounded_interval`, not their normal one, which falls below its level with few labels.

    Raises:
        UserError: fewer than two labelled pictures, no others, different lengths, or outcomes outside `least` to 1.
    """
    check_alpha(alpha)
    truth, guess = floats(labelled, "labelled"), floats(predicted, "predicted")
    others = floats(unlabelled_predicted, "unlabelled_predicted")
    same_length(labelled=truth, predicted=guess)
    check_least(truth, least)
    if len(truth) < 2:
        raise UserError("one labelled picture has no interval", hint="label at least 30")
    if weight is None:
        weight = best_weight(truth, guess, others)
    estimate = float(truth.mean() + weight * (others.mean() - guess.mean()))
    variance = float((truth - weight * guess).var(ddof=1)) / len(truth)
    variance += weight**2 * (float(others.var(ddof=1)) if len(others) > 1 else 0.0) / len(others)
    return bounded_interval(
        estimate, variance, len(truth), least=least, alpha=alpha, method="prediction-powered (PPI++)"
    )


def best_weight(labelled: Floats, predicted: Floats, others: Floats) -> float:
    """The weight of least variance: cov(labelled, predicted) / ((1 + n / N) var(all predictions)), from 0 to 1."""
    spread = float(np.concatenate([predicted, others]).var(ddof=1))
    if not spread:
        return 0.0
    covariance = float(np.cov(labelled, predicted)[0, 1])
    return float(np.clip(covariance / ((1 + len(labelled) / len(others)) * spread), 0.0, 1.0))
