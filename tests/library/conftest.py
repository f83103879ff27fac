"""The bundled demo model as a library user has it, and one that says what it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import onelook
from onelook.demo.checkpoint import DRAWINGS, with_demo_models
from onelook.engines.scripted import Script, ScriptedEngine
from onelook.result import TagResult
from tests.graph.replies import PORTRAIT, sure

DRAWING = DRAWINGS / "heldout-0002.jpg"

MakeScripted = Callable[..., onelook.Tagger]


@pytest.fixture(scope="session")
def demo() -> Iterator[onelook.Tagger]:
    """One Tagger for all tests: loading takes a second."""
    with onelook.Tagger(with_demo_models(onelook.load_settings())) as tagger:
        yield tagger


@pytest.fixture(scope="session")
def drawn(demo: onelook.Tagger) -> TagResult:
    """What the demo model says of a bundled drawing."""
    return demo.tag_sync(DRAWING)


@pytest.fixture
def scripted() -> Iterator[MakeScripted]:
    """`scripted(script, **settings)`; without a script every picture is a portrait."""
    made: list[onelook.Tagger] = []

    def make(script: Script | None = None, **settings: object) -> onelook.Tagger:
        engine = ScriptedEngine(script or (lambda _: sure(PORTRAIT)))
        made.append(onelook.Tagger(onelook.load_settings(**{"retry_interval_s": 0.001, **settings}), engine))
        return made[-1]

    yield make
    for tagger in made:
        tagger.close()


def label_of(drawing: Path) -> str:
    """The category that a bundled drawing shows."""
    for line in (DRAWINGS / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if drawing.name in row.values():
            return str(row["category"])
    raise LookupError(drawing.name)
