"""Whether an outcome is right: in its category, its whole record, or one attribute."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from onelook.errors import ExperimentError
from onelook.lab.experiment.outcomes import Outcome
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.types import Answer

PLAIN: Final = ("record", "category", "latency")
ATTRIBUTE: Final = "attribute:"


def check_metric(metric: str, taxonomy: Taxonomy) -> None:
    """Raises `ExperimentError` for a metric that does not exist; the message has the nearest one."""
    attributes = sorted({name for category in taxonomy.categories.values() for name in category.details})
    known = [*PLAIN, *(ATTRIBUTE + name for name in attributes)]
    if metric not in known:
        close = get_close_matches(metric, known, n=1, cutoff=0.5)
        raise ExperimentError(
            f"--primary {metric}: no such metric" + (f"; did you mean {close[0]}?" if close else ""),
            hint=f"one of {', '.join(known)}",
        )


def is_right(outcome: Outcome, truth: Answer | None, metric: str) -> bool | None:
    """Whether the outcome is right. None: nothing is known, because the picture has no such label.

    A failed outcome is wrong, and so is every attribute of a wrong category. A record is right if its category and
    every labelled attribute is.
    """
    if truth is None:
        return None
    answer = outcome.answer if outcome.status != "failed" else None
    if metric.startswith(ATTRIBUTE):
        name = metric.removeprefix(ATTRIBUTE)
        if name not in truth.details:
            return None
        return (
            answer is not None and answer.category == truth.category and answer.details.get(name) == truth.details[name]
        )
    if answer is None or answer.category != truth.category:
        return False
    return metric == "category" or all(answer.details.get(name) == value for name, value in truth.details.items())
