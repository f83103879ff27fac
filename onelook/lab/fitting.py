"""Fit one number, or two, so that probabilities say how often labels are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from onelook.calibration.fits import Curve, log_odds
from onelook.lab.reliability import Prediction

FOLDS = 5
FEWEST = 5
"""Right labels, and wrong ones, that it takes to learn anything; fewer, and chance is fitted."""

LOG_TEMPERATURES = (-3.0, 5.0)
BIASES = (-10.0, 10.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to a curve, and how well its curves explain labels that they were not fitted to."""

    name: str
    curve: Curve
    nll: float


def fit_curve(sure: Sequence[Prediction]) -> list[Method]:
    """The raw probabilities, temperature scaling and Platt's, best first by their loss in 5-fold cross-validation.

    The loss is the mean negative log-likelihood of right and wrong, in nats. Empty where there are fewer than 5 right
    labels, or fewer than 5 wrong ones.
    """
    odds = np.array([log_odds(confidence) for confidence, _ in sure])
    right = np.array([right for _, right in sure], dtype=bool)
    if min(right.sum(), (~right).sum()) < FEWEST:
        return []
    fits = {"as it is": _as_it_is, "temperature": fit_temperature, "Platt": fit_platt}
    # Right and wrong labels are dealt out one after another, so every fold has its share of both.
    place = np.argsort(right, kind="stable")
    fold = np.empty(len(odds), dtype=int)
    fold[place] = np.arange(len(odds)) % FOLDS
    methods = []
    for name, fit in fits.items():
        left_out = [
            loss(fit(odds[fold != each], right[fold != each]), odds[fold == each], right[fold == each])
            for each in range(FOLDS)
        ]
        methods.append(Method(name, fit(odds, right), float(np.concatenate(left_out).mean())))
    return sorted(methods, key=lambda method: method.nll)


def loss(curve: Curve, odds: Floats, right: NDArray[np.bool_]) -> Floats:
    """Negative log-likelihood of each label's being right or wrong."""
    after = odds / curve.temperature + curve.bias
    return np.logaddexp(0.0, np.where(right, -after, after))


def fit_temperature(odds: Floats, right: NDArray[np.bool_]) -> Curve:
    """Temperature scaling (Guo et al. 2017, arXiv 1706.04599)."""
    found = minimize_scalar(
        lambda log: loss(Curve(temperature=float(np.exp(log))), odds, right).mean(),
        bounds=LOG_TEMPERATURES,
        method="bounded",
    )
    return Curve(temperature=float(np.exp(found.x)))


def fit_platt(odds: Floats, right: NDArray[np.bool_]) -> Curve:
    """Platt's scaling (1999) of the log-odds. Its slope stays above 0, so that surer stays surer."""
    found = minimize(
        lambda both: loss(Curve(temperature=float(np.exp(both[0])), bias=float(both[1])), odds, right).mean(),
        x0=(0.0, 0.0),
        bounds=(LOG_TEMPERATURES, BIASES),
        method="L-BFGS-B",
    )
    return Curve(temperature=float(np.exp(found.x[0])), bias=float(found.x[1]))


def fit_softmax_temperature(probabilities: Sequence[Sequence[float]], truth: Sequence[int]) -> float | None:
    """The temperature, relative to that of `probabilities` ([pictures, classes]), at which the `truth` is likeliest.

    None where fewer than 5 pictures' likeliest class is right, or wrong.
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


def _as_it_is(odds: Floats, right: NDArray[np.bool_]) -> Curve:
    return Curve()
