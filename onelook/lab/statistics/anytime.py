"""Tests that may be looked at after every picture: e-values, and a confidence sequence.

An e-value is a bet's capital that starts at 1. If nothing is to be found it exceeds 1 / alpha at *any* time with a
probability of at most alpha (Ville 1939), so stopping as soon as it does is allowed. Ramdas, Gruenwald, Vovk & Shafer
2023, Statistical Science 38:576-601.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import betaln, logsumexp

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, check_alpha, floats
from onelook.lab.statistics.clusters import Clusters, Names
from onelook.lab.statistics.interval import Interval

BETS = 256
"""Bets in the mixtures. Any finite mixture of bets is a valid bet, so their number concerns power only."""


@dataclass(frozen=True, slots=True)
class EValue:
    """The capital, as a natural logarithm. `p_value` holds at any time: min(1, 1 / e)."""

    log: float

    @property
    def value(self) -> float:
        return float(np.exp(min(self.log, 700.0)))

    @property
    def p_value(self) -> float:
        return float(np.exp(-max(self.log, 0.0)))

    def reached(self, alpha: float) -> bool:
        """Whether to stop: the capital is at least 1 / alpha."""
        return bool(self.log >= -np.log(alpha))


def log_sign_e_value(wins: ArrayLike, losses: ArrayLike) -> Floats:
    """The logarithm of `sign_e_value` for many counts at once."""
    more, less = np.asarray(wins, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    return np.asarray((more + less) * np.log(2) + betaln(more + 0.5, less + 0.5) - betaln(0.5, 0.5), dtype=np.float64)


def sign_e_value(wins: int, losses: int) -> EValue:
    """The e-value of "a discordant pair is won as often as lost": 2^(b+c) B(b+1/2, c+1/2) / B(1/2, 1/2).

    A bet on each discordant pair, mixed over Beta(1/2, 1/2) (Robbins 1970, Annals of Mathematical Statistics
    41:1397-1409; the mixture is Krichevsky & Trofimov 1981's). `wins`: discordant pairs in which only the candidate is
    right, `losses`: only the reference. Pictures are taken as independent; with clusters use `betting_e_value`.
    """
    return EValue(float(log_sign_e_value(wins, losses)))


def betting_e_value(differences: ArrayLike, clusters: Names | None = None) -> EValue:
    """The e-value of "no difference is to be expected in any cluster"; every cluster is one bet.

    `differences`: candidate - reference of each picture, from -1 to 1. The capital is the mean over l of
    the product over clusters of 1 + l * (mean difference of the cluster), l from the arcsine law on -1 to 1: a
    universal portfolio (Cover 1991; Orabona & Jun 2024, IEEE Transactions on Information Theory 70:436-455, for means
    of bounded numbers, after Waudby-Smith & Ramdas 2024, JRSS B 86:1-27). It needs no independence within a cluster and
    no symmetry, only that a cluster's mean difference has the expectation 0 given the clusters before it. So whole
    clusters must come one after the other: look only after a finished one. With clusters of one it equals
    `sign_e_value`.

    Raises:
        UserError: no pictures, differences outside -1 to 1, or a single cluster.
    """
    means = _cluster_means(differences, clusters)
    return EValue(float(log_betting_e_values(means)[-1]))


def log_betting_e_values(means: Floats) -> Floats:
    """The logarithm of the capital of `betting_e_value` after each cluster: [..., clusters] to [..., clusters]."""
    # Chebyshev's nodes make the mean over the arcsine law exact up to 2 * BETS - 1 clusters.
    bets = np.cos((2 * np.arange(BETS) + 1) * np.pi / (2 * BETS))
    capital = np.zeros((*means.shape[:-1], BETS))
    found = np.empty(means.shape)
    for place in range(means.shape[-1]):
        capital += np.log1p(bets * means[..., place, None])
        found[..., place] = logsumexp(capital, axis=-1) - np.log(BETS)
    return found


def not_worse_e_value(differences: ArrayLike, margin: float, clusters: Names | None = None) -> EValue:
    """The e-value of "the candidate loses `margin` or more": large where it is not worse.

    The capital is the mean over t of the product over clusters of 1 + t (x + margin) / (1 - margin), x the cluster's
    mean difference, t from Beta(1/2, 1/2): bets on one side, so it tests every mean at or below -margin at once.

    Raises:
        UserError: a margin outside 0 to 1, or see `betting_e_value`.
    """
    if not 0 <= margin < 1:
        raise UserError(f"margin is {margin}, and must be from 0 to below 1", hint="0.02 accepts a loss of 2 points")
    return EValue(_log_capital(_cluster_means(differences, clusters), -margin))


def confidence_sequence(differences: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """The mean difference with an interval that holds at all times together, so at any moment at which one stops.

    The means whose bet, one for each side with alpha / 2, has not reached 2 / alpha (Waudby-Smith & Ramdas 2024; the
    mixture of Orabona & Jun 2024). Wider than an interval for a fixed number of pictures. `accuracy_verdict` takes it
    with a margin. With clusters, it is the mean over clusters of their mean differences: each counts the same, whatever
    its size.

    Raises:
        UserError: see `betting_e_value`.
    """
    check_alpha(alpha)
    means = _cluster_means(differences, clusters)
    low, high = _lower_bound(means, alpha / 2), -_lower_bound(-means, alpha / 2)
    return Interval(float(means.mean()), low, high, 1 - alpha, "confidence sequence, betting")


def _cluster_means(differences: ArrayLike, clusters: Names | None) -> Floats:
    found = floats(differences, "differences")
    if (np.abs(found) > 1).any():
        raise UserError("differences must be from -1 to 1: the candidate's outcome minus the reference's")
    groups = Clusters.named(clusters, len(found))
    return groups.sums(found) / groups.sizes


def _log_capital(means: Floats, least: float) -> float:
    """The capital of bets that the expectation is above `least`, from -1 to 1; falls as `least` grows."""
    values, counts = np.unique(means, return_counts=True)
    bets = (1 + np.cos((2 * np.arange(BETS) + 1) * np.pi / (2 * BETS))) / 2
    logs = np.log1p(bets[:, None] * (values - least) / (1 + least)) @ counts
    return float(logsumexp(logs) - np.log(BETS))


def _lower_bound(means: Floats, alpha: float) -> float:
    if means.max() == -1:
        return -1.0
    wanted = -np.log(alpha)
    if _log_capital(means, -1 + 1e-9) <= wanted:
        return -1.0
    return float(brentq(lambda least: _log_capital(means, least) - wanted, -1 + 1e-9, 1.0, xtol=1e-9))
