"""Arrays that come in: their types, and the checks that all functions share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelook.errors import UserError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def floats(values: ArrayLike, name: str) -> Floats:
    """`values` as a flat array of at least one finite number.

    Raises:
        UserError: it is empty, has more than one dimension, or holds NaN or an infinite number.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not found.size:
        raise UserError(f"{name} has the shape {found.shape}, and must be a list of at least one number")
    if not np.isfinite(found).all():
        raise UserError(
            f"{name}: {int((~np.isfinite(found)).sum())} of {found.size} numbers are not finite",
            hint="score a failed picture as wrong (0); leave a picture without a latency out of both arms",
        )
    return found


def same_length(**named: NDArray[Any]) -> None:
    """Check that the arrays are about the same pictures.

    Raises:
        UserError: their lengths differ.
    """
    if len({len(array) for array in named.values()}) > 1:
        lengths = ", ".join(f"{name} {len(array)}" for name, array in named.items())
        raise UserError(
            f"the lists have different lengths: {lengths}", hint="position i of every list must be the same picture"
        )


def two_or_more(values: NDArray[Any]) -> None:
    if len(values) < 2:
        raise UserError("one picture has no interval", hint="use at least two")


def check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}, and must be between 0 and 1", hint="0.05 is usual")
