"""A real graph over a scripted engine, and a real picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from engines.scripted import Answer, Script, ScriptedEngine
from graph.settings import load_settings
from graph.tagger import Tagger
from tests.graph.replies import MakeTagger


@pytest.fixture
def picture() -> bytes:
    """A small JPEG that passes through preparation as it is."""
    held = io.BytesIO()
    Image.new("RGB", (280, 224), "teal").save(held, "JPEG")
    return held.getvalue()


@pytest.fixture
def make_tagger() -> MakeTagger:
    """`make_tagger(script, **settings)`: retries come without a wait worth noticing."""

    def make(script: Script | list[Answer], **settings: object) -> Tagger:
        return Tagger(load_settings(**{"retry_interval_s": 0.001, **settings}), ScriptedEngine(script))

    return make
