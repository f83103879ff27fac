"""A real graph over a scripted engine, and a real picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from onelook.engines.scripted import Answer, Script, ScriptedEngine
from onelook.engines.zero_shot.base import Router
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.graph.replies import MakeTagger, routed


@pytest.fixture
def picture() -> bytes:
    """A small JPEG that passes through preparation as it is."""
    held = io.BytesIO()
    Image.new("RGB", (280, 224), "teal").save(held, "JPEG")
    return held.getvalue()


@pytest.fixture
def make_tagger() -> MakeTagger:
    """`make_tagger(script, **settings)`: retries come without a wait worth noticing; the router sees a portrait."""

    def make(script: Script | list[Answer], router: Router | None = None, /, **settings: object) -> Tagger:
        return Tagger(
            load_settings(**{"retry_interval_s": 0.001, **settings}),
            ScriptedEngine(script),
            router=router or routed("portrait"),
        )

    return make
