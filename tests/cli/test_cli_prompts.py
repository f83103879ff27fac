"""`onelook prompts show`: it prints what `onelook tag` sends to a server with the same options."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from onelook.cli.sent_prompts_text import without_pictures
from onelook.constraint import JsonSchema
from onelook.demo.checkpoint import MODEL
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from tests.cli.test_cli import Run, clean, onelook
from tests.engines.openai_simulation import Body, SimulatedServer, batch_completion, completion, letter
from tests.graph.replies import CATEGORY, COMPACT, DETAILS, PORTRAIT
from tests.siglip.pooling_simulation import SimulatedPoolingServer

__all__ = ["clean", "onelook"]  # the fixtures

ANIMAL = '{"species":"猫","count":"一只"}'
ENGLISH = "portrait male selfie,half body happy indoor"
REPLIES = ('{"word":"zebra"}', PORTRAIT, COMPACT, ENGLISH, CATEGORY, DETAILS, COMPACT.removeprefix("人像"), ANIMAL)
CATEGORIES = list(load_taxonomy(PHOTOS).categories)


async def answer(request: web.Request, body: Body) -> web.StreamResponse:
    """A valid reply to whatever is asked."""
    constraint = body.get("structured_outputs", {})
    words = json.dumps(body["messages"][-1], ensure_ascii=False)
    if "choice" in constraint:
        portrait = re.search("([A-Z])人像", words)
        chosen = portrait[1] if portrait else constraint["choice"][0]
        return web.json_response(completion(chosen, logprobs=letter({chosen: -0.1})))
    if "regex" in constraint:
        return web.json_response(completion(next(each for each in REPLIES if re.fullmatch(constraint["regex"], each))))
    return web.json_response(completion(DETAILS if "gender" in words else CATEGORY))


async def answer_batch(request: web.Request, body: Body) -> web.StreamResponse:
    return web.json_response(batch_completion(*({"A": 0.0} for _ in body["messages"])))


def questions(bodies: list[Body]) -> list[str]:
    """The bodies of questions about pictures as JSON with their pictures' sizes, without those of the probe."""
    written = (json.dumps(without_pictures(body), ensure_ascii=False) for body in bodies)
    return sorted(body for body in written if "Say hello." not in body)


def server_options(server: SimulatedServer) -> list[str]:
    return ["--engine", "vllm", "--base-url", server.base_url, "--model", "tiny"]


@pytest.fixture
def picture(tmp_path: Path) -> str:
    Image.linear_gradient("L").resize((1200, 700)).save(tmp_path / "picture.png")
    return "picture.png"


@pytest.mark.parametrize(
    ("words", "category", "requests"),
    [
        (["--arm", "fused", "--language", "zh"], "portrait", 1),
        (["--arm", "fused", "--language", "en", "--format", "compact", "--long-edge", "448"], "portrait", 1),
        (["--arm", "reads", "--language", "zh"], "portrait", 8),
        (["--arm", "reads", "--debias", "--language", "zh"], "portrait", 16),
        (["--arm", "legacy", "--language", "zh"], "portrait", 2),
        (["--arm", "legacy_shared", "--language", "zh"], "portrait", 2),
        (["--arm", "legacy_shared", "--format", "compact", "--language", "zh"], "portrait", 2),
        (["--arm", "hybrid", "--language", "zh"], None, 1),
        (["--arm", "hybrid", "--language", "zh"], "animal", 1),
        (["--arm", "hybrid", "--language", "zh"], "building", 0),
    ],
    ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, list) else None,
)
async def test_what_is_shown_is_what_a_server_gets(
    words: list[str], category: str | None, requests: int, onelook: Run, picture: str, tiny_siglip: Path
) -> None:
    async with (
        SimulatedServer(answer) as server,
        SimulatedPoolingServer(tiny_siglip, sees=CATEGORIES.index(category or "portrait")) as router,
    ):
        options = [*words, *server_options(server)]
        environment = {
            "ONELOOK_ROUTER__ENGINE": "vllm",
            "ONELOOK_ROUTER__BASE_URL": router.base_url,
            "ONELOOK_ROUTER__THRESHOLD": "0.9" if category else "1",
        }
        if category is None:
            environment["ONELOOK_ROUTER__TEMPERATURE"] = "1000"
        tagged = await asyncio.to_thread(onelook, "tag", picture, *options, "--json", **environment)
        received = questions(server.bodies)
        server.bodies.clear()
        named = ["--category", category] if category else []
        shown = await asyncio.to_thread(onelook, "prompts", "show", picture, *options, *named, "--json")
        assert server.bodies == [], "nothing is sent"
    assert shown.returncode == 0, shown.stderr
    assert tagged.returncode == 0, tagged.stderr + tagged.stdout
    found: list[dict[str, Any]] = json.loads(shown.stdout)["requests"]
    assert len(found) == requests
    assert {each["url"] for each in found} <= {f"{server.base_url}/chat/completions"}
    assert sorted(json.dumps(each["body"], ensure_ascii=False) for each in found) == received


async def test_a_server_that_takes_batches_is_shown_one(onelook: Run, picture: str) -> None:
    async with SimulatedServer(answer, respond_batch=answer_batch) as server:
        options = ["--arm", "reads", "--language", "zh", *server_options(server)]
        await asyncio.to_thread(onelook, "tag", picture, *options)
        received = questions([*server.bodies, *server.batches])
        shown = await asyncio.to_thread(onelook, "prompts", "show", picture, *options, "--json")
        text = await asyncio.to_thread(onelook, "prompts", "show", picture, *options)
    found = json.loads(shown.stdout)["requests"]
    assert [each["url"] for each in found] == [f"{server.base_url}/chat/completions{end}" for end in ("", "/batch")]
    assert sorted(json.dumps(each["body"], ensure_ascii=False) for each in found) == received
    assert text.stdout.count("[picture: image/") == 1
    assert text.stdout.count("… again, by its name]") == 7
    assert "conversation 7 of 7" in text.stdout


def test_the_text_can_be_read_and_copied(onelook: Run) -> None:
    done = onelook("prompts", "show", "--arm", "legacy_shared", "--language", "en", "--category", "animal")
    assert (done.returncode, done.stderr) == (0, "")
    assert "request 2 of 2\n" in done.stdout
    assert "The embedded engine sends nothing" in done.stdout
    assert "http://" not in done.stdout, "no server is asked"
    prompts = Prompts(load_taxonomy(PHOTOS), "en")
    details = prompts.details("animal", "json")
    assert isinstance(details.constraint, JsonSchema)
    for words in (prompts.system, prompts.category("json").text, details.text, details.constraint.regex):
        assert f"\n{words}\n" in done.stdout, "unbroken and unindented"
    assert re.search(r"\[picture: image/jpeg, 756 x 560 pixels, [\d,]+ bytes\]", done.stdout)


def test_the_text_after_the_chat_template_of_a_local_model(onelook: Run) -> None:
    done = onelook("prompts", "show", "--model", str(MODEL), "--language", "en", "--json")
    assert done.returncode == 0, done.stderr
    (request,) = json.loads(done.stdout)["requests"]
    assert request["after_chat_template"] == (
        f"<|im_start|>system\n{Prompts(load_taxonomy(PHOTOS), 'en').system}<|im_end|>\n<|im_start|>user\n"
        "<|vision_start|><|image_pad|><|vision_end|>"
        f"{request['body']['messages'][1]['content'][1]['text']}<|im_end|>\n<|im_start|>assistant\n"
    )


def test_what_cannot_be_shown_is_refused_with_the_choices(onelook: Run, tmp_path: Path) -> None:
    for words, says in (
        (["--category", "nope"], "--category takes one of portrait, animal"),
        (["nope.jpg"], "nope.jpg: no such file"),
        (["--language", "fr"], "--language zh"),
        (["--model", "nowhere"], "the model nowhere is not on this machine"),
    ):
        done = onelook("prompts", "show", *words, ONELOOK_MODEL="")
        assert (done.returncode, done.stdout) == (2, "")
        assert says in " ".join(done.stderr.split())
