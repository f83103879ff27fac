"""No test knows how fast this machine is: none sets a deadline for Hypothesis, and none holds a stopwatch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, settings

FOLDER = Path(__file__).parent
ALL = "list(HealthCheck)"
STOPWATCHES = ("perf_counter", "perf_counter_ns", "process_time", "thread_time")


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the tests: the last name of what is called, and where."""
    for file in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                yield name, f"{file.relative_to(FOLDER)}:{node.lineno}", node


def test_the_profile_of_all_property_tests_knows_no_clock() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check


def test_no_property_test_brings_the_clock_back() -> None:
    """A list of checks of its own replaces the profile's, so it must name `too_slow` again."""
    for name, where, call in calls():
        if name == "settings":
            given = {each.arg: ast.unparse(each.value) for each in call.keywords}
            assert given.get("deadline", "None") == "None", f"{where}: leave it out, tests/conftest.py sets it for all"
            checks = given.get("suppress_health_check", ALL)
            assert "too_slow" in checks or checks == ALL, f"{where}: add HealthCheck.too_slow"


def test_no_test_holds_a_stopwatch() -> None:
    held = [where for name, where, _ in calls() if name in STOPWATCHES]
    assert held == [], "assert an order or an event in place of a duration"
