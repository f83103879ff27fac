"""Questions of different scopes share no cache of a server: its salt, and the names of their pictures, differ."""

from __future__ import annotations

from langchain_core.messages import HumanMessage

from onelook.engines.base import AskRequest
from onelook.engines.cache_scope import cache_scope, new_to_caches
from tests.engines.openai_simulation import SimulatedServer, always, batch_completion, engine_at

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
QUESTION = AskRequest([HumanMessage([PICTURE])], None, 1)


async def test_a_scope_is_the_salt_and_part_of_a_pictures_name_on_vllm() -> None:
    batch = always(batch_completion({"A": 0.0}))
    async with SimulatedServer(respond_batch=batch) as server, engine_at(server.base_url) as engine:
        for scope in ("one", "two", None):
            token = cache_scope.set(scope)
            await engine.ask(QUESTION)
            cache_scope.reset(token)
    assert [body.get("cache_salt") for body in server.bodies] == ["one", "two", None]
    names = {body["messages"][0]["content"][0]["uuid"] for body in server.bodies}
    assert len(names) == 3


async def test_other_servers_get_no_field_that_they_do_not_know() -> None:
    async with SimulatedServer(owner="another") as server, engine_at(server.base_url) as engine:
        token = cache_scope.set("one")
        await engine.ask(QUESTION)
        cache_scope.reset(token)
    assert "cache_salt" not in server.bodies[0]


async def test_a_picture_can_be_new_while_its_prompt_is_known() -> None:
    async with (
        SimulatedServer(respond_batch=always(batch_completion({"A": 0.0}))) as server,
        engine_at(server.base_url) as engine,
    ):
        for _ in range(2):
            with new_to_caches():
                await engine.ask(QUESTION)
                await engine.ask(QUESTION)
        await engine.ask(QUESTION)
    assert not any("cache_salt" in body for body in server.bodies)
    names = [body["messages"][0]["content"][0]["uuid"] for body in server.bodies]
    assert names[0] == names[1] != names[2] == names[3]
    assert names[4] not in names[:4]
