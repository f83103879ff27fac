"""Power before spending: how many pictures a verdict needs, and what a number of pictures can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Bools, Ints, check_alpha
from onelook.lab.statistics.mcnemar import exact_p
from onelook.lab.statistics.paired_counts import PairedCounts
from onelook.lab.statistics.paired_difference import bonett_price_bounds
from onelook.lab.statistics.proportions import wilson_bounds

Claim = Literal["different", "not worse"]
"""*better* or *worse* with a two-sided test, or *not worse* by a margin."""

MOST_PICTURES = 10_000_000


@dataclass(frozen=True, slots=True)
class Pilot:
    """The discordance of a pilot, and its upper limit (one-sided 80 %), with which a design is on the safe side."""

    pictures: int
    discordance: float
    upper: float


def from_pilot(counts: PairedCounts) -> Pilot:
    """What the first pictures say about the discordance of the rest.

    A sample size from a pilot's estimate alone is too small about half of the time; the upper limit of 80 % makes it
    enough in four of five (Browne 1995, Statistics in Medicine 14:1933-1940, for a variance; here Wilson's limit).
    """
    z = float(stats.norm.ppf(0.8))
    _, upper = wilson_bounds(counts.discordance, counts.pictures, z)
    return Pilot(counts.pictures, counts.discordance, upper)


def power(
    pictures: int,
    discordance: float,
    difference: float,
    *,
    claim: Claim = "different",
    margin: float = 0.0,
    alpha: float = 0.05,
    design_effect: float = 1.0,
) -> float:
    """The probability that `compare` reaches the verdict, if the true shares are these.

    `discordance`: the share of pictures in which one arm alone is right. `difference`: candidate - reference. Exact
    by enumeration of the discordant pairs (Suissa & Shuster 1991, Biometrics 47:361-372), with the verdict's own rules:
    the exact McNemar test and Bonett-Price's interval. "different": *better* for a positive difference, *worse* for a
    negative one, whatever the margin. `design_effect`: variance of clustered pictures / of independent ones.

    Raises:
        UserError: a discordance below the difference or above 1, or no pictures.
    """
    check_alpha(alpha)
    _check(discordance, difference)
    size = int(pictures / design_effect)
    if size < 1:
        raise UserError(f"{pictures} pictures with a design effect of {design_effect} are worth less than one")
    z = float(stats.norm.ppf(1 - alpha / 2))
    sign = -1 if claim == "different" and difference < 0 else 1
    win = (discordance + sign * difference) / (2 * discordance) if discordance else 0.5
    middle, spread = size * discordance, np.sqrt(size * discordance * (1 - discordance))
    lowest, highest = max(0, int(middle - 7 * spread - 5)), min(size, int(middle + 7 * spread + 5))
    discordant = np.arange(lowest, highest + 1)

    def shown(wins: Ints) -> Bools:
        low, _ = bonett_price_bounds(wins.astype(np.float64), (discordant - wins).astype(np.float64), size, z)
        if claim == "different":
            return np.asarray((low > 0) & (exact_p(wins, discordant) <= alpha), dtype=np.bool_)
        return np.asarray(np.asarray(low) > -margin, dtype=np.bool_)

    # Both rules hold from some number of wins upwards: found by halving, for all numbers of discordant pairs at once.
    first, enough = np.zeros_like(discordant), discordant + 1
    while (first < enough).any():
        middles = np.minimum((first + enough) // 2, discordant)
        reached = shown(middles)
        first, enough = (
            np.where(reached | (first >= enough), first, middles + 1),
            np.where(reached & (first < enough), middles, enough),
        )
    chances = stats.binom.pmf(discordant, size, discordance) * stats.binom.sf(first - 1, discordant, win)
    return min(float(chances.sum()), 1.0)


def pictures_needed(
    discordance: float,
    difference: float = 0.0,
    *,
    claim: Claim = "different",
    margin: float = 0.0,
    alpha: float = 0.05,
    wanted_power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """The number of pictures with which the verdict is reached with `wanted_power`.

    Starts from the normal approximation (Connor 1987, Biometrics 43:207-211, for McNemar; Liu et al. 2002, Statistics
    in Medicine 21:231-245, for non-inferiority) and corrects it until `power` is reached. Power rises in steps, so a
    slightly smaller number can have it too.

    Raises:
        UserError: nothing to be shown (a difference of 0, or of -margin or below), or more than 10 million pictures.
    """
    _check(discordance, difference)
    distance = abs(difference) if claim == "different" else difference + margin
    if distance <= 0:
        raise UserError(
            f"a difference of {difference:g} cannot be shown to be {claim!r}"
            + ("" if claim == "different" else f" with a margin of {margin:g}"),
            hint="give a margin above 0, or a difference other than 0",
        )

    def reached(size: int) -> bool:
        return power(size, discordance, difference, claim=claim, margin=margin, alpha=alpha) >= wanted_power

    size = max(2, int(_connor(discordance, difference, distance, alpha, wanted_power)))
    while size > MOST_PICTURES or not reached(size):
        size = int(size * 1.05) + 1
        if size > MOST_PICTURES:
            raise UserError("more than 10 million pictures would be needed", hint="choose a larger margin")
    low = int(size / 1.5)
    while low and reached(low):
        low = int(low / 1.5)
    while size - low > max(1, size // 1000):
        between = (low + size) // 2
        low, size = (low, between) if reached(between) else (between, size)
    return int(np.ceil(size * design_effect))


def detectable_difference(
    pictures: int,
    discordance: float,
    *,
    alpha: float = 0.05,
    wanted_power: float = 0.8,
    design_effect: float = 1.0,
) -> float | None:
    """The smallest difference that so many pictures show with `wanted_power`: what a report of too few could have seen.

    For instance 0.06 for 240 pictures of which 10 % are discordant. None if not even a difference as large as the
    discordance, with every discordant pair won, is shown.
    """
    if not discordance:
        return None

    def missing(difference: float) -> float:
        reached = power(pictures, discordance, difference, alpha=alpha, design_effect=design_effect)
        return reached - wanted_power

    if missing(discordance) < 0:
        return None
    return float(brentq(missing, 0.0, discordance, xtol=1e-5))


def detectable_margin(
    pictures: int,
    discordance: float,
    difference: float = 0.0,
    *,
    alpha: float = 0.05,
    wanted_power: float = 0.8,
    design_effect: float = 1.0,
) -> float:
    """The smallest margin by which so many pictures show *not worse* with `wanted_power`."""
    _check(discordance, difference)

    def missing(margin: float) -> float:
        reached = power(
            pictures,
            discordance,
            difference,
            claim="not worse",
            margin=margin,
            alpha=alpha,
            design_effect=design_effect,
        )
        return reached - wanted_power

    return 1.0 if missing(1.0) < 0 else float(brentq(missing, 0.0, 1.0, xtol=1e-5))


def _connor(discordance: float, difference: float, distance: float, alpha: float, wanted_power: float) -> float:
    either, both = stats.norm.ppf(1 - alpha / 2), stats.norm.ppf(wanted_power)
    return float((either * np.sqrt(discordance) + both * np.sqrt(discordance - difference**2)) ** 2 / distance**2)


def _check(discordance: float, difference: float) -> None:
    if not abs(difference) <= discordance <= 1:
        raise UserError(
            f"discordance is {discordance:g} and difference {difference:g}",
            hint="discordance is a share up to 1, and at least as large as the difference",
        )
