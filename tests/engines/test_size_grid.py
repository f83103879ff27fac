"""The size grid of a model: from a name, from files, from the image tokens that a server reports, from a setting."""

from base64 import b64decode, b64encode
from io import BytesIO

import pytest
from aiohttp import web
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from PIL import Image
from pydantic import SecretStr

from onelook.engines.base import AskRequest
from onelook.engines.chat import ChatEngine
from onelook.engines.checks.picture import check_picture_size
from onelook.engines.checks.questions import SIDE
from onelook.engines.size_grid import (
    CANDIDATES,
    grid_of_config,
    grid_of_name,
    grid_of_tokens,
    image_tokens,
    seen_as_sent,
)
from tests.engines.openai_simulation import Body, SimulatedServer, always, completion, engine_at


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("Qwen/Qwen2-VL-7B-Instruct", 28),
        ("Qwen/Qwen2.5-VL-3B-Instruct-AWQ", 28),
        ("Qwen/Qwen3-VL-8B-Instruct", 32),
        ("/models/qwen3_vl_4b", 32),
        ("Qwen/Qwen3.5-4B", 32),
        ("mistralai/Pixtral-12B-2409", 16),
        ("llava-hf/llava-1.5-7b-hf", 14),
        ("our-tagger", None),
    ],
)
def test_the_grid_of_a_family(name: str, grid: int | None) -> None:
    assert grid_of_name(name) == grid


def test_the_grid_of_a_checkpoint() -> None:
    qwen3 = {"vision_config": {"patch_size": 16, "spatial_merge_size": 2}}
    pixtral = {"image_processor": {"patch_size": {"height": 16, "width": 16}}}
    assert grid_of_config(qwen3, {}) == 32
    assert grid_of_config(qwen3, {"patch_size": 14, "merge_size": 2}) == 28
    assert grid_of_config({"vision_config": {}}, pixtral) == 16
    assert grid_of_config({}, {}) is None


def test_the_first_question_tells_all_grids_apart() -> None:
    """As the processors of Qwen-VL models count: sides are rounded to the grid."""
    rounded = {grid: round(SIDE / grid) * grid for grid in CANDIDATES}
    told = {grid: grid_of_tokens([(SIDE, SIDE)], image_tokens(side, side, grid)) for grid, side in rounded.items()}
    assert told == {grid: grid for grid in CANDIDATES}


@pytest.mark.parametrize("grid", [28, 32, 14, 16])
def test_the_reported_tokens_tell_the_grid_and_whether_a_picture_was_resampled(grid: int) -> None:
    size = (448, 448)
    tokens = image_tokens(*size, grid)
    assert grid_of_tokens([size], tokens) == grid
    assert seen_as_sent([size], grid, tokens)
    assert not seen_as_sent([size], grid, tokens // 2)


async def test_a_setting_precedes_the_name_of_the_served_model() -> None:
    async with SimulatedServer() as server, engine_at(server.base_url, size_grid=16) as engine:
        assert (await engine.look_up()).size_grid == 16


async def test_the_grid_is_that_of_the_wanted_models_family() -> None:
    async with engine_at("http://127.0.0.1:9/v1", model="Qwen/Qwen3-VL-4B-Instruct") as engine:
        assert (await engine.look_up()).size_grid == 32


@pytest.mark.parametrize("grid", [28, 32, 14, 16])
async def test_the_grid_is_learned_from_the_image_tokens_that_a_server_reports(grid: int) -> None:
    held = BytesIO()
    Image.new("RGB", (448, 448), "teal").save(held, "PNG")
    picture = {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{b64encode(held.getvalue()).decode()}"},
    }
    asked = AskRequest([HumanMessage([picture, {"type": "text", "text": "What is it?"}])], None, max_tokens=1)
    answer = completion("A", logprobs=None)
    answer["usage"] = {
        "prompt_tokens": 2000,
        "completion_tokens": 1,
        "prompt_tokens_details": {"multimodal_tokens": {"image": image_tokens(448, 448, grid)}},
    }
    async with SimulatedServer(always(answer)) as server, engine_at(server.base_url) as engine:
        await engine.ask(asked)
        assert engine.capabilities.size_grid == grid
        chat = ChatOpenAI(base_url=server.base_url, api_key=SecretStr("none"), model="ours", max_retries=0)
        told = ChatEngine(chat)
        await told.ask(asked)
        assert told.capabilities.size_grid == grid
        assert ChatEngine(chat, size_grid=48).capabilities.size_grid == 48


async def test_a_server_that_makes_large_pictures_smaller_does_not_pass_for_another_grid() -> None:
    """448 x 448 pixels on a grid of 32 have as many tokens as the 392 x 392 that are left of them here."""

    async def respond(_: web.Request, body: Body) -> web.StreamResponse:
        image = body["messages"][-1]["content"][0]["image_url"]["url"]
        with Image.open(BytesIO(b64decode(image.partition(",")[2]))) as picture:
            side = min(picture.width, 392)
        answer = completion('{"word":"zebra"}')
        details = {"multimodal_tokens": {"image": image_tokens(side, side, 28)}}
        answer["usage"] = {"prompt_tokens": 2000, "completion_tokens": 1, "prompt_tokens_details": details}
        return web.json_response(answer)

    async with SimulatedServer(respond) as server, engine_at(server.base_url) as engine:
        await engine.start()
        assert engine.capabilities.size_grid == 28


@pytest.mark.parametrize("grid", [28, 32, 14, 16])
def test_the_doctor_knows_a_resampled_picture_on_each_grid(grid: int) -> None:
    tokens = image_tokens(448, 448, grid)
    as_sent, resampled = check_picture_size(tokens, 448, grid), check_picture_size(tokens // 2, 448, grid)
    assert as_sent is not None
    assert as_sent.ok
    assert resampled is not None
    assert not resampled.ok
    assert f"expected {tokens}" in resampled.detail
