"""The arm `hybrid` with its router on a pooling server (a simulation): what is sent, and what may come back."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from onelook.engines.openai.server import OpenAIServer
from onelook.engines.scripted import Scripted, ScriptedEngine
from onelook.engines.zero_shot.server import ServedSiglip
from onelook.errors import EngineError, EngineIncapable
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.result import TagResult
from onelook.settings.process import PHOTOS, load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Subject
from tests.graph.replies import DETAILS, sure
from tests.loop_clock import skip
from tests.siglip.pooling_simulation import DIMENSION, Body, Respond, SimulatedPoolingServer, axis, embeddings

HYBRID = Context(arm="hybrid")
CATEGORIES = list(load_taxonomy(PHOTOS).categories)
BUILDING = CATEGORIES.index("building")


@pytest.fixture
def picture() -> bytes:
    held = io.BytesIO()
    Image.linear_gradient("L").resize((280, 196)).convert("RGB").save(held, "PNG")
    return held.getvalue()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tagger_at(base_url: str, replies: list[Scripted] | None = None, **router: Any) -> Tagger:
    given = {"engine": "vllm", "base_url": base_url, **router}
    return Tagger(load_settings(retry_interval_s=0.001, max_attempts=2, router=given), ScriptedEngine(replies or []))


async def tag(base_url: str, picture: Subject, **router: Any) -> TagResult:
    async with tagger_at(base_url, **router) as tagger:
        return await tagger.tag(picture, HYBRID)


def failure(result: TagResult) -> tuple[str, str, str]:
    (error,) = result.errors
    assert result.status == "failed"
    return error.node, error.kind, f"{error.message} | {error.hint}"


def always(body: Any, status: int = 200) -> Respond:
    async def respond(asked: Body) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return respond


def raw(text: str) -> Respond:
    async def respond(asked: Body) -> web.StreamResponse:
        return web.Response(text=text, content_type="application/json")

    return respond


async def forever(asked: Body) -> web.StreamResponse:
    """Never answers: as soon as it is asked, more time is over than the settings wait for an answer."""
    skip(22)
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_building_is_named_and_no_model_is_asked(tiny_siglip: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(tiny_siglip, sees=BUILDING) as server:
        result = await tag(server.base_url, picture)
    assert (result.status, result.errors, result.model) == ("ok", (), "siglip")
    assert result.category is not None
    assert result.category.id == "building"
    assert result.category.confidence == pytest.approx(1, abs=0.01)  # cosines of 1 and 0, times the checkpoint's 10


async def test_a_portrait_is_described_by_the_model(tiny_siglip: Path, picture: bytes) -> None:
    async with (
        SimulatedPoolingServer(tiny_siglip, sees=0) as server,
        tagger_at(server.base_url, [sure(DETAILS)]) as tagger,
    ):
        result = await tagger.tag(picture, HYBRID)
    assert (result.status, result.model) == ("ok", "scripted")
    assert result.details["mood"][0].id == "happy"


async def test_texts_go_padded_and_pictures_in_the_models_size(tiny_siglip: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(tiny_siglip, sees=BUILDING) as server:
        await tag(server.base_url, picture)
    texts, sent = server.asked
    assert [len(ids) for ids in texts["input"]] == [64] * len(CATEGORIES)
    assert texts["model"] == sent["model"] == "siglip"
    (shown,) = server.shown
    assert (shown.mode, shown.size) == ("RGB", (224, 224))
    assert [part["type"] for part in sent["messages"][0]["content"]] == ["image_url"]


async def test_several_pictures_of_one_subject_are_looked_at_each(tiny_siglip: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(tiny_siglip, sees=BUILDING) as server:
        result = await tag(server.base_url, [picture, picture, picture])
    assert (result.status, len(server.shown)) == ("ok", 3)


async def test_the_texts_are_kept_for_the_next_start_until_the_server_has_other_weights(
    tiny_siglip: Path, picture: bytes
) -> None:
    async def other_weights(asked: Body) -> web.StreamResponse:
        return web.json_response(embeddings(*(axis(number or 11) for number, _ in enumerate(asked["input"]))))

    async with SimulatedPoolingServer(tiny_siglip, sees=BUILDING) as server:

        async def encoded() -> list[int]:
            server.asked.clear()
            assert (await tag(server.base_url, picture)).errors == ()
            return [len(body["input"]) for body in server.asked if "input" in body]

        assert await encoded() == [len(CATEGORIES)]
        assert await encoded() == [1]
        server.texts = other_weights
        assert await encoded() == [1, len(CATEGORIES)]


async def test_temperature_and_scale_are_settings(tiny_siglip: Path, picture: bytes) -> None:
    async def sureness(**router: float) -> float:
        result = await tag(server.base_url, picture, threshold=0, **router)
        assert result.category is not None
        return result.category.confidence or 0.0

    async with SimulatedPoolingServer(tiny_siglip, sees=BUILDING) as server:
        assert await sureness(temperature=2) == pytest.approx(await sureness(logit_scale=5), abs=0.01)
        assert await sureness(temperature=2) < await sureness()


@pytest.mark.parametrize("of", ["texts", "pictures"])
@pytest.mark.parametrize(
    ("respond", "kind", "says"),
    [
        (forever, "EngineTimeout", "gave no answer within 20 s"),
        (always({"error": {"message": "out of memory"}}, 500), "EngineFailed", "HTTP 500: out of memory"),
        (always({"error": {"message": "busy"}}, 429), "EngineOverloaded", "HTTP 429: busy"),
        (always({"error": {"message": "no such route"}}, 404), "EngineRefused", "--runner pooling"),
        (always({"error": {"message": "both text and image"}}, 400), "EngineRefused", "both text and image"),
        (raw("<html>"), "EngineIncapable", "not JSON"),
        (raw('{"data": '), "EngineIncapable", "not JSON"),
        (always({"data": []}), "EngineIncapable", "did not answer with"),
        (always({"choices": [{"message": {"content": "hi"}}]}), "EngineIncapable", "did not answer with"),
    ],
)
async def test_a_fault_of_the_server_is_a_failed_result_that_says_which(
    of: str, respond: Respond, kind: str, says: str, tiny_siglip: Path, picture: bytes
) -> None:
    async with SimulatedPoolingServer(tiny_siglip) as server:
        setattr(server, of, respond)
        node, found, words = failure(await tag(server.base_url, picture, max_outage_s=0.001))
    assert (node, found) == ("route", kind)
    assert says in words
    assert server.base_url in words


@pytest.mark.parametrize(
    ("vector", "says"),
    [
        ([], "without a vector"),
        ("AAAA", "without a vector"),
        (["a"] * DIMENSION, "not of numbers"),
        ([None] * DIMENSION, "not of numbers"),
        ([0.0] * DIMENSION, "not finite numbers, or all of them zero"),
        ([1e308] * DIMENSION, "not finite numbers, or all of them zero"),
    ],
)
async def test_a_vector_that_is_none_is_refused(vector: object, says: str, tiny_siglip: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(tiny_siglip) as server:
        server.pictures = always(embeddings(vector))
        node, kind, words = failure(await tag(server.base_url, picture))
    assert (node, kind) == ("route", "EngineIncapable")
    assert says in words


async def test_a_server_that_answers_in_another_dimension_is_refused_per_picture(
    tiny_siglip: Path, picture: bytes
) -> None:
    async with SimulatedPoolingServer(tiny_siglip) as server:
        server.pictures = always(embeddings(axis(0, 768)))
        node, kind, words = failure(await tag(server.base_url, picture))
    assert (node, kind) == ("route", "EngineIncapable")
    assert "vectors of 768 numbers from pictures, and of 12 from texts" in words
    assert "one checkpoint with both towers" in words


async def test_a_server_that_answers_in_another_dimension_is_refused_at_start(tiny_siglip: Path) -> None:
    async with SimulatedPoolingServer(tiny_siglip) as server, tagger_at(server.base_url) as tagger:
        server.pictures = always(embeddings(axis(0, 768)))
        with pytest.raises(EngineIncapable, match="768"):
            await tagger.start(HYBRID)
        await tagger.start()  # the other arms do not need it


async def test_texts_of_different_dimensions_are_refused(tiny_siglip: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(tiny_siglip) as server:
        server.texts = always(embeddings(*(axis(0, 3 + number) for number, _ in enumerate(CATEGORIES))))
        assert "of different dimensions" in failure(await tag(server.base_url, picture))[2]


async def test_a_fault_that_passes_is_tried_again(tiny_siglip: Path, picture: bytes) -> None:
    async def recovering(asked: Body) -> web.StreamResponse:
        server.pictures = None
        return web.json_response({"error": {"message": "warming up"}}, status=500)

    async with SimulatedPoolingServer(tiny_siglip, sees=BUILDING) as server:
        server.pictures = recovering
        result = await tag(server.base_url, picture)
    assert (result.status, result.errors, result.ledger.nodes[1].attempts) == ("ok", (), 2)


async def test_nothing_listens(tiny_siglip: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(tiny_siglip) as server:
        gone = server.base_url
    node, kind, words = failure(await tag(gone, picture))
    assert (node, kind) == ("route", "EngineUnavailable")
    assert gone in words


async def test_the_tokenizer_may_lie_elsewhere(tiny_siglip: Path, tmp_path: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(Path("/models/on/another/machine"), sees=BUILDING) as server:
        node, kind, words = failure(await tag(server.base_url, picture))
        assert (node, kind) == ("route", "EngineIncapable")
        assert "/models/on/another/machine" in words
        assert "ONELOOK_ROUTER__TOKENIZER" in words
        alone = tmp_path / "alone"
        shutil.copytree(tiny_siglip, alone, ignore=shutil.ignore_patterns("*.safetensors"))
        result = await tag(server.base_url, picture, tokenizer=str(alone))
    assert (result.status, result.errors) == ("ok", ())
    assert result.category is not None
    assert result.category.confidence == pytest.approx(1)  # so400m's scale, where the checkpoint's own is not known


async def test_a_model_that_the_server_lacks_is_named_with_the_one_it_has(tiny_siglip: Path, picture: bytes) -> None:
    async with SimulatedPoolingServer(tiny_siglip, model="siglip-base") as server:
        words = failure(await tag(server.base_url, picture, model="siglip-large"))[2]
    assert "siglip-large" in words
    assert "siglip-base" in words


async def test_an_encoder_of_its_own_says_what_went_wrong_too(tiny_siglip: Path) -> None:
    async with SimulatedPoolingServer(tiny_siglip) as server:
        server.pictures = always({"error": {"message": "boom"}}, 500)
        encoder = ServedSiglip(OpenAIServer(server.base_url), model=None, tokenizer=None, logit_scale=None)
        with pytest.raises(EngineError, match=r"router: .*boom"):
            await encoder.encode_pictures([Image.new("RGB", (9, 9))])
        await encoder.aclose()


def test_with_servers_alone_no_pytorch_is_needed(tiny_siglip: Path, tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules["torch"] = None
import asyncio
from pathlib import Path
from PIL import Image
from onelook.types import Context
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.loop_clock import skip
from tests.siglip.pooling_simulation import SimulatedPoolingServer

async def main():
    Image.new("RGB", (280, 196), "teal").save({str(tmp_path / "a.png")!r})
    async with SimulatedPoolingServer(Path({str(tiny_siglip)!r}), sees={BUILDING}) as server:
        router = dict(engine="vllm", base_url=server.base_url)
        async with Tagger(load_settings(engine="vllm", router=router)) as tagger:
            result = await tagger.tag({str(tmp_path / "a.png")!r}, Context(arm="hybrid"))
    print(result.status, result.category.id, [error.message for error in result.errors])

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("ok building []", "")


def test_without_the_extra_it_says_what_to_install() -> None:
    program = """
import sys
sys.modules["transformers"] = None
from onelook.engines.zero_shot.files import read_files
from onelook.errors import EngineIncapable
try:
    read_files("anything", elsewhere="")
except EngineIncapable as error:
    print(error.message, "|", error.hint)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "needs the package transformers" in done.stdout
    assert "onelook[router]" in done.stdout
