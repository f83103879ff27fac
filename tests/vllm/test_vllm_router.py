"""SigLIP on a real vLLM pooling server: the same vectors as in this process, and the arm `hybrid` through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from PIL import Image

from onelook.engines.openai.server import OpenAIServer
from onelook.engines.scripted import ScriptedEngine
from onelook.engines.zero_shot.embedded import EmbeddedSiglip
from onelook.engines.zero_shot.server import ServedSiglip
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS, load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import sure
from tests.graph.test_ledger import script
from tools.demo_model import HELDOUT
from tools.vllm_cpu.server import ROUTER_PROFILE, vllm_cpu_server, vllm_python

pytestmark = pytest.mark.vllm

HYBRID = Context(arm="hybrid")
BFLOAT16 = 2**-8
PICTURES = sorted(HELDOUT.iterdir())[:12]


@pytest.fixture(scope="module")
def router_url(tiny_siglip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("router") / "server.log"
    with vllm_cpu_server(tiny_siglip, python=vllm_python(), log=log, profile=ROUTER_PROFILE) as base_url:
        yield base_url


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
async def embedded(tiny_siglip: Path) -> AsyncIterator[EmbeddedSiglip]:
    encoder = EmbeddedSiglip(str(tiny_siglip), device="cpu", logit_scale=None)
    yield encoder
    await encoder.aclose()


@pytest.fixture
async def served(router_url: str) -> AsyncIterator[ServedSiglip]:
    encoder = ServedSiglip(OpenAIServer(router_url), model=None, tokenizer=None, logit_scale=None)
    yield encoder
    await encoder.aclose()


async def test_texts_have_the_same_vectors(embedded: EmbeddedSiglip, served: ServedSiglip) -> None:
    taxonomy = load_taxonomy(PHOTOS)
    texts = [text for language in taxonomy.languages for text in Prompts(taxonomy, language).zero_shot().values()]
    for ours, theirs in zip(await embedded.encode_texts(texts), await served.encode_texts(texts), strict=True):
        assert theirs == pytest.approx(ours, abs=BFLOAT16)


async def test_pictures_have_the_same_vectors(embedded: EmbeddedSiglip, served: ServedSiglip) -> None:
    pictures = [Image.open(path) for path in PICTURES]
    for ours, theirs in zip(
        await embedded.encode_pictures(pictures), await served.encode_pictures(pictures), strict=True
    ):
        assert theirs == pytest.approx(ours, abs=BFLOAT16)


async def test_both_have_the_scale_of_the_checkpoint(embedded: EmbeddedSiglip, served: ServedSiglip) -> None:
    assert await served.logit_scale() == pytest.approx(await embedded.logit_scale())


async def test_the_arm_runs_through_it_as_in_process(router_url: str, tiny_siglip: Path) -> None:
    """With a threshold of 0 every picture is believed; random weights are sure of nothing."""
    routers = ({"engine": "vllm", "base_url": router_url}, {"model": str(tiny_siglip), "device": "cpu"})
    found = []
    for router in routers:
        async with Tagger(load_settings(router={**router, "threshold": 0}), ScriptedEngine(script)) as tagger:
            await tagger.start(HYBRID)
            found.append([await tagger.tag(str(path), HYBRID) for path in PICTURES])
    for through_server, in_process in zip(*found, strict=True):
        assert through_server.category is not None
        assert in_process.category is not None
        assert through_server.category.id == in_process.category.id
        assert through_server.category.confidence == pytest.approx(in_process.category.confidence, abs=0.01)
        assert through_server.ledger.parts()["route.router"] > 0


async def test_a_server_of_a_model_that_talks_is_no_router(vllm_url: str) -> None:
    settings = load_settings(router={"engine": "vllm", "base_url": vllm_url})
    async with Tagger(settings, ScriptedEngine([sure("")])) as tagger:
        (error,) = (await tagger.tag(str(PICTURES[0]), HYBRID)).errors
    assert (error.node, error.kind) == ("route", "EngineIncapable")
    assert "qwen2_5_vl" in error.message
    assert error.hint is not None
    assert "siglip" in error.hint


async def test_a_server_that_talks_refuses_to_make_vectors(vllm_url: str, tiny_siglip: Path) -> None:
    settings = load_settings(router={"engine": "vllm", "base_url": vllm_url, "tokenizer": str(tiny_siglip)})
    async with Tagger(settings, ScriptedEngine([sure("")])) as tagger:
        (error,) = (await tagger.tag(str(PICTURES[0]), HYBRID)).errors
    assert (error.node, error.kind) == ("route", "EngineRefused")
    assert error.hint is not None
    assert "--runner pooling" in error.hint
