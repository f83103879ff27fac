"""Two arms without labels: how often they give the same answer, and how much of that is chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, check_alpha
from onelook.lab.statistics.bootstrap import RESAMPLES, percentile_bounds, resampled
from onelook.lab.statistics.clusters import Clusters, Names
from onelook.lab.statistics.interval import Caveat, Interval
from onelook.lab.statistics.proportions import wilson


def agreement(
    reference: Sequence[Hashable], candidate: Sequence[Hashable], clusters: Names | None = None, *, alpha: float = 0.05
) -> Interval:
    """The share of pictures with equal answers, with the interval of `wilson`.

    Raises:
        UserError: no pictures, different lengths, or a single cluster.
    """
    _check(reference, candidate)
    return wilson([one == other for one, other in zip(reference, candidate, strict=True)], clusters, alpha=alpha)


def cohens_kappa(
    reference: Sequence[Hashable],
    candidate: Sequence[Hashable],
    clusters: Names | None = None,
    *,
    rng: np.random.Generator | None = None,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
) -> Interval:
    """Agreement beyond chance: (agreement - expected) / (1 - expected), 1 at best, 0 for chance.

    Cohen 1960, Educational and Psychological Measurement 20:37-46; the normal interval is from the large-sample
    variance of Fleiss, Cohen & Everitt 1969, Psychological Bulletin 72:323-327, at most 1. With clusters, a percentile
    bootstrap of whole clusters, which needs `rng`. If both give one and the same answer everywhere, kappa is not
    defined; 1 is returned, with `Caveat.NO_VARIATION`.

    Raises:
        UserError: no pictures, different lengths, a single cluster, or clusters without `rng`.
    """
    check_alpha(alpha)
    _check(reference, candidate)
    answers = {answer: number for number, answer in enumerate(dict.fromkeys([*reference, *candidate]))}
    one, other = np.array([answers[each] for each in reference]), np.array([answers[each] for each in candidate])
    kinds = len(answers)
    method = "Fleiss-Cohen-Everitt" if clusters is None else "cluster bootstrap, percentile"
    if kinds == 1:
        return Interval(1.0, -1.0, 1.0, 1 - alpha, method, (Caveat.NO_VARIATION,))
    cell = one * kinds + other
    table = np.bincount(cell, minlength=kinds**2).reshape(kinds, kinds) / len(cell)
    kappa = float(_kappa(table[None])[0])
    if clusters is None:
        reach = float(stats.norm.ppf(1 - alpha / 2) * np.sqrt(_variance(table, kappa) / len(cell)))
        caveats = (Caveat.NO_VARIATION,) if not reach else ()
        return Interval(kappa, kappa - reach, min(1.0, kappa + reach), 1 - alpha, method, caveats)
    if rng is None:
        raise UserError("kappa with clusters is a bootstrap", hint="give rng=numpy.random.default_rng(seed)")
    groups = Clusters.named(clusters, len(cell))
    tables = np.zeros((groups.count, kinds**2))
    np.add.at(tables, (groups.of, cell), 1.0)

    def drawn_kappa(times: Floats) -> Floats:
        return _kappa((times @ tables / (times @ groups.sizes)[:, None]).reshape(-1, kinds, kinds))

    draws = resampled(drawn_kappa, Clusters.named(None, groups.count), rng, resamples)
    low, high = percentile_bounds(draws, alpha)
    return Interval(kappa, low, high, 1 - alpha, method, groups.caveats_of(clusters))


def _check(reference: Sequence[Hashable], candidate: Sequence[Hashable]) -> None:
    if len(reference) != len(candidate) or not len(reference):
        raise UserError(f"{len(reference)} answers of the reference and {len(candidate)} of the candidate")


def _kappa(tables: Floats) -> Floats:
    """Of tables [..., kinds, kinds] of shares; 1 where chance alone agrees everywhere."""
    agreed = np.trace(tables, axis1=-2, axis2=-1)
    expected = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1)
    return np.where(expected < 1 - 1e-12, (agreed - expected) / np.maximum(1 - expected, 1e-12), 1.0)


def _variance(table: Floats, kappa: float) -> float:
    """Fleiss, Cohen & Everitt 1969, equation 13, times the number of pictures."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    expected = float((rows * columns).sum())
    diagonal = np.diag(table)
    both = rows[:, None] + columns[None, :]  # [i, j]: row share of i and column share of j
    on = (diagonal * (1 - (rows + columns) * (1 - kappa)) ** 2).sum()
    off = (1 - kappa) ** 2 * ((table * both.T**2).sum() - (diagonal * (rows + columns) ** 2).sum())
    last = (kappa - expected * (1 - kappa)) ** 2
    return float(max(0.0, (on + off - last) / (1 - expected) ** 2))
