"""What an arm needs and a server or a taxonomy does not have: one error, before the first of several pictures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from aiohttp import web
from PIL import Image

from onelook.settings.process import PHOTOS
from tests.cli.test_cli import Run, clean, onelook
from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.graph.replies import CATEGORY, DETAILS, PORTRAIT

__all__ = ["clean", "onelook"]  # the fixtures

Tag = Callable[..., Awaitable["CompletedProcess[str]"]]


@pytest.fixture
def tag(onelook: Run, tmp_path: Path) -> Tag:
    """`await tag(server, *words)`: `onelook tag` of three pictures, while the server answers in this process."""
    names = [f"{number}.jpg" for number in range(3)]
    for number, name in enumerate(names):
        Image.new("RGB", (280, 224), (80 * number, 90, 100)).save(tmp_path / name)

    async def tag(server: SimulatedServer | None, *words: str | Path, **environment: str) -> CompletedProcess[str]:
        engine = ["--engine", "vllm", "--base-url", server.base_url, "--model", "tiny"] if server is not None else []
        return await asyncio.to_thread(onelook, "tag", *names, *engine, *words, **environment)

    return tag


def refused_once(done: CompletedProcess[str], *shown: str) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error: ") == 1
    folded = " ".join(done.stderr.split())
    for words in shown:
        assert words in folded


async def schema_only(request: web.Request, body: Body) -> web.StreamResponse:
    """Keeps JSON schemas, and knows no other constraint."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    if "word" in schema.get("properties", {}):
        return web.json_response(completion('{"word":"zebra"}'))
    return web.json_response(completion(PORTRAIT if schema else "Hello!"))


@pytest.mark.parametrize(
    ("words", "what"), [(["--arm", "reads"], "arm reads"), (["--format", "compact"], "reply format compact")]
)
@pytest.mark.parametrize("guidance", ["auto", "response_format"])
async def test_a_schema_only_server(tag: Tag, words: list[str], what: str, guidance: str) -> None:
    async with SimulatedServer(schema_only, owner="somebody") as server:
        done = await tag(server, *words, ONELOOK_GUIDANCE=guidance)
        refused_once(done, "JSON schemas", "--arm fused --reply-format json", "structured_outputs")
        if guidance == "response_format":
            refused_once(done, what)
        assert len(server.bodies) <= 1, "only the probe"
        assert (await tag(server, "--jsonl")).returncode == 0


async def test_a_server_that_ignores_a_choice_though_it_is_vllm(tag: Tag) -> None:
    async def json_alone(request: web.Request, body: Body) -> web.StreamResponse:
        kept = "regex" in body.get("structured_outputs", {})
        return web.json_response(completion('{"word":"zebra"}' if kept else "Hello!"))

    async with SimulatedServer(json_alone) as server:
        refused_once(await tag(server, "--arm", "reads"), "regex and choice: not kept", "--arm fused")


async def test_more_options_than_letters(tag: Tag, onelook: Run, tmp_path: Path) -> None:
    taxonomy = tmp_path / "breeds.yaml"
    options = "\n".join(f"          breed_{n}: {{zh: 品种{n:03}, en: breed {n:03}}}" for n in range(401))
    taxonomy.write_text(
        "name: breeds\ncategories:\n"
        "  dog:\n    label: {zh: 狗, en: dog}\n    when: {zh: 有狗, en: a dog}\n    details:\n"
        f"      breed:\n        label: {{zh: 品种, en: breed}}\n        choose: one\n        options:\n{options}\n"
        "  other:\n    label: {zh: 其他, en: other}\n    when: {zh: 没有狗, en: anything else}\n",
        encoding="utf-8",
    )
    words = ["--taxonomy", taxonomy, "--language", "en", "--arm", "reads"]
    refused_once(await tag(None, *words), "dog.breed has 401 options", "at most 400 apart", "--arm fused")


async def test_sentences_longer_than_the_router_reads(tag: Tag, tiny_siglip: Path, tmp_path: Path) -> None:
    taxonomy = tmp_path / "wordy.yaml"
    wordy = "a person " + "who stands in front of a house or a tree " * 20
    category = "    label: {zh: 人像, en: portrait}\n    when: {zh: 画面主体是人, en: "
    original = PHOTOS.read_text(encoding="utf-8")
    assert f"{category}a person is the main subject}}" in original
    taxonomy.write_text(original.replace(f"{category}a person is the main subject", category + wordy), encoding="utf-8")
    words = ["--taxonomy", taxonomy, "--arm", "hybrid"]
    done = await tag(None, *words, ONELOOK_ROUTER__MODEL=str(tiny_siglip))
    refused_once(done, "the router reads 64 tokens, and this text has", "shorten the category's `when`")


async def test_legacy_runs_on_a_server_that_keeps_no_constraint(tag: Tag) -> None:
    """Its JSON stands in a fence, with words around it."""

    async def free(request: web.Request, body: Body) -> web.StreamResponse:
        assert not {"response_format", "structured_outputs"} & set(body)
        asked = json.dumps(body["messages"], ensure_ascii=False)
        reply = DETAILS if "composition" in asked else CATEGORY
        return web.json_response(completion(f"Sure! Here it is:\n```json\n{reply}\n```\nAnything else?"))

    async with SimulatedServer(free, owner="somebody") as server:
        done = await tag(server, "--arm", "legacy", "--jsonl")
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["category"]["id"] for result in results] == ["portrait"] * 3
    assert results[0]["details"]["gender"][0]["label"] == "男性"
