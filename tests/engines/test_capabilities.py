"""What an engine says of itself before it is asked, so that nobody goes by its name."""

from __future__ import annotations

from onelook.engines.base import AskRequest
from onelook.engines.build import build_engine
from onelook.engines.resident import share_memory
from onelook.settings.process import Settings
from tests.engines.openai_simulation import SimulatedServer, engine_at
from tests.residency.simulated import Device, SimulatedEngine


async def test_waiting_until_a_server_takes_a_question_is_no_fault_and_it_answers_in_parallel() -> None:
    async with engine_at("http://127.0.0.1:9/v1", timeout_s=7) as engine:
        assert engine.server.timeout_s == 7  # each request is timed by itself
        assert engine.capabilities.patience_s is None
        assert engine.capabilities.concurrent


async def test_a_server_whose_guidance_is_portable_keeps_schemas_only() -> None:
    async with engine_at("http://127.0.0.1:9/v1", guidance="response_format") as engine:
        assert engine.capabilities.constraints == "schema"


async def test_a_server_that_is_not_vllm_is_known_to_keep_schemas_only_once_it_was_asked() -> None:
    async with SimulatedServer(owner="somebody") as server, engine_at(server.base_url) as engine:
        constraints: list[str] = [engine.capabilities.constraints]
        await engine.ask(AskRequest([], None, max_tokens=1))
        constraints.append(engine.capabilities.constraints)
        assert constraints == ["regex", "schema"]


async def test_waiting_for_a_model_in_this_process_is_no_fault() -> None:
    engine = build_engine(Settings(engine="embedded", model="any", timeout_s=7))
    assert engine.capabilities.patience_s is None
    assert not engine.capabilities.concurrent
    await engine.aclose()


def test_waiting_for_shared_memory_is_no_fault() -> None:
    device = Device()
    alone = SimulatedEngine("first", device)
    first, specialist = share_memory(alone, SimulatedEngine("second", device), defer=False)
    assert alone.capabilities.patience_s == 60
    assert first.capabilities.patience_s is specialist.capabilities.patience_s is None
