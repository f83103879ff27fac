"""The four words of a verdict, from an interval and a margin."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from onelook.errors import UserError
from onelook.lab.statistics.interval import Interval


class Verdict(StrEnum):
    BETTER = "better"
    NOT_WORSE = "not worse"
    WORSE = "worse"
    NOT_KNOWN = "not known yet"


def accuracy_verdict(difference: Interval, margin: float, *, p_value: float | None = None) -> Verdict:
    """The verdict on a difference candidate - reference where more is better. `margin`: the largest loss accepted.

    - better: the interval is above 0;
    - not worse: its lower end is above -margin (non-inferior). Every *better* is also not worse; the stronger word is
      returned. An interval between -margin and 0 is *not worse* too: there is a loss, and it is smaller than accepted;
    - worse: it is below 0 and reaches to -margin or beyond;
    - not known yet: anything else.

    Figure 1 of Piaggio et al. 2012 (CONSORT, JAMA 308:2594-2604). Each end of an interval of confidence 1 - alpha has
    the one-sided error alpha / 2, so alpha = 0.05 tests non-inferiority at 0.025 (ICH E9, section 3.5: 0.05 two-sided
    means 0.025 here); for a one-sided error of 0.05, give an interval of 90 %. With `p_value`, that of a two-sided test
    such as `mcnemar(...).exact` (or adjusted by `holm`), *better* and *worse* need it at or below alpha as well.

    Raises:
        UserError: a negative margin, or a p-value outside 0 to 1.
    """
    if margin < 0:
        raise UserError(f"margin is {margin}, and cannot be negative", hint="0.02 accepts a loss of 2 points")
    if p_value is not None and not 0 <= p_value <= 1:
        raise UserError(f"p_value is {p_value}, and must be between 0 and 1")
    # 1 - level has a rounding error, and a p-value of exactly alpha must pass.
    shown = p_value is None or p_value <= 1 - difference.level + 1e-12
    if difference.low > 0 and shown:
        return Verdict.BETTER
    if difference.low > -margin:
        return Verdict.NOT_WORSE
    if difference.high < 0 and shown:
        return Verdict.WORSE
    return Verdict.NOT_KNOWN


def latency_verdict(log_ratio: Interval, margin: float = 0.0) -> Verdict:
    """The verdict on the logarithm of candidate / reference, where less is better. `margin`: the largest accepted
    slowdown, as a share: 0.1 accepts 10 %. *better* means faster, *worse* slower.
    """
    if margin < 0:
        raise UserError(f"margin is {margin}, and cannot be negative", hint="0.1 accepts 10 % more time")
    mirrored = Interval(-log_ratio.estimate, -log_ratio.high, -log_ratio.low, log_ratio.level, log_ratio.method)
    return accuracy_verdict(mirrored, float(np.log1p(margin)))


def combined_verdict(accuracy: Verdict, latency: Verdict) -> Verdict:
    """One word for "not worse and faster", which needs both.

    - better: accuracy is better or not worse, and latency is better. Each part is tested at its own alpha without
      correction: both must hold, so the error of the claim is at most alpha (intersection-union test, Berger 1982,
      Technometrics 24:295-300);
    - worse: either is worse;
    - not worse: both are better or not worse, and latency is not better;
    - not known yet: anything else.
    """
    both = (accuracy, latency)
    if Verdict.WORSE in both:
        return Verdict.WORSE
    if Verdict.NOT_KNOWN in both:
        return Verdict.NOT_KNOWN
    return Verdict.BETTER if latency is Verdict.BETTER else Verdict.NOT_WORSE
