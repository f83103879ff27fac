"""The error tree: drawn in the docstring, true in the code, and able to cross a process border."""

from __future__ import annotations

import pickle
import re

import pytest

import onelook.errors
from onelook.errors import OnelookError


def descendants(root: type[OnelookError]) -> list[type[OnelookError]]:
    return [root, *(below for child in root.__subclasses__() for below in descendants(child))]


ERRORS = [error for error in descendants(OnelookError) if error.__module__ == "onelook.errors"]


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = []
    ancestors: list[str] = []
    for line in (onelook.errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│ ├└─]*)([A-Z]\w+)(.*)$", line)
        if match:
            depth = len(match[1]) // 4
            ancestors[depth:] = [match[2]]
            drawn.append((match[2], ancestors[depth - 1] if depth else "Exception", "retryable" in match[3]))
    assert drawn == [(error.__name__, error.__bases__[0].__name__, error.retryable) for error in ERRORS]


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_survives_pickling_with_its_hint(kind: type[OnelookError]) -> None:
    again = pickle.loads(pickle.dumps(kind("what was wrong", hint="what to do")))  # noqa: S301
    assert (type(again), again.message, again.hint) == (kind, "what was wrong", "what to do")
