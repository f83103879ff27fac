"""A real graph over a scripted engine, and a real picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from onelook.engines.base import Capabilities
from onelook.engines.scripted import Script, Scripted, ScriptedEngine
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
    """`make_tagger(script, **settings)`: retries wait for a millisecond; the router sees a portrait.

    `patience_s`: the longest that the graph lets one call of the engine take.
    """

    def make(
        script: Script | list[Scripted],
        router: Router | None = None,
        /,
        *,
        patience_s: float | None = None,
        **settings: object,
    ) -> Tagger:
        return Tagger(
            load_settings(**{"retry_interval_s": 0.001, **settings}),
            ScriptedEngine(script, capabilities=Capabilities(patience_s=patience_s)),
            router=router or routed("portrait"),
        )

    return make
