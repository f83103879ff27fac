"""Fits calibration curves of one or two parameters to labelled predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from onelook.calibration.fits import Curve, log_odds
from onelook.lab.statistics.calibration_bins import Prediction

FOLDS = 5
FEWEST = 5
"""Least number of right labels, and of wrong ones, for a fit."""

LOG_TEMPERATURES = (-3.0, 5.0)
BIASES = (-10.0, 10.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Method:
    """A fitting method with its curve and its loss in cross-validation."""

    name: str
    curve: Curve
    nll: float


def fit_curve(predictions: Sequence[Prediction]) -> list[Method]:
    """No change, temperature scaling and Platt scaling, best first by their loss in 5-fold cross-validation.

    The loss is the mean negative log-likelihood of right and wrong, in nats. Empty if there are fewer than 5 right
    labels or fewer than 5 wrong ones.
    """
    logits = np.array([log_odds(confidence) for confidence, _ in predictions])
    right = np.array([right for _, right in predictions], dtype=bool)
    if min(right.sum(), (~right).sum()) < FEWEST:
        return []
    fits = {"unchanged": _unchanged, "temperature": fit_temperature, "Platt": fit_platt}
    # Folds are stratified: right and wrong labels are dealt out in turn.
    order = np.argsort(right, kind="stable")
    fold = np.empty(len(logits), dtype=int)
    fold[order] = np.arange(len(logits)) % FOLDS
    methods = []
    for name, fit in fits.items():
        left_out = [
            loss(fit(logits[fold != each], right[fold != each]), logits[fold == each], right[fold == each])
            for each in range(FOLDS)
        ]
        methods.append(Method(name, fit(logits, right), float(np.concatenate(left_out).mean())))
    return sorted(methods, key=lambda method: method.nll)


def loss(curve: Curve, logits: Floats, right: NDArray[np.bool_]) -> Floats:
    """Negative log-likelihood of each label's outcome, right or wrong."""
    after = logits / curve.temperature + curve.bias
    return np.logaddexp(0.0, np.where(right, -after, after))


def fit_temperature(logits: Floats, right: NDArray[np.bool_]) -> Curve:
    """Temperature scaling (Guo et al. 2017, arXiv 1706.04599)."""
    found = minimize_scalar(
        lambda log: loss(Curve(temperature=float(np.exp(log))), logits, right).mean(),
        bounds=LOG_TEMPERATURES,
        method="bounded",
    )
    return Curve(temperature=float(np.exp(found.x)))


def fit_platt(logits: Floats, right: NDArray[np.bool_]) -> Curve:
    """Platt scaling (1999) of the log-odds. Its slope stays above 0, so the order of confidences stays the same."""
    found = minimize(
        lambda both: loss(Curve(temperature=float(np.exp(both[0])), bias=float(both[1])), logits, right).mean(),
        x0=(0.0, 0.0),
        bounds=(LOG_TEMPERATURES, BIASES),
        method="L-BFGS-B",
    )
    return Curve(temperature=float(np.exp(found.x[0])), bias=float(found.x[1]))


def fit_softmax_temperature(probabilities: Sequence[Sequence[float]], truth: Sequence[int]) -> float | None:
    """The temperature, relative to that of `probabilities` ([pictures, classes]), at which the `truth` is likeliest.

    None if the likeliest class is right for fewer than 5 pictures, or wrong for fewer than 5.
    """
    logs = np.log(np.maximum(np.array(probabilities), 1e-30))
    classes = np.array(truth)
    hits = int((logs.argmax(axis=1) == classes).sum())
    if min(hits, len(classes) - hits) < FEWEST:
        return None
    found = minimize_scalar(
        lambda log: -log_softmax(logs / np.exp(log), axis=1)[np.arange(len(classes)), classes].mean(),
        bounds=LOG_TEMPERATURES,
        method="bounded",
    )
    return float(np.exp(found.x))


def _unchanged(logits: Floats, right: NDArray[np.bool_]) -> Curve:
    return Curve()
