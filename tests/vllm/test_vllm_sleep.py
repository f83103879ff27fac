"""A real vLLM server that cannot sleep, where two models should share memory."""

from __future__ import annotations

import pytest

from onelook.errors import EngineIncapable
from onelook.settings.process import load_settings
from onelook.tagger import Tagger

pytestmark = pytest.mark.vllm


async def test_it_is_refused_at_start_with_what_to_do(vllm_url: str) -> None:
    server = {"engine": "vllm", "base_url": vllm_url}
    async with Tagger(load_settings(**server, residency="swap", specialist=server)) as tagger:
        with pytest.raises(EngineIncapable, match="no sleep mode") as refusal:
            await tagger.start()
    assert "--enable-sleep-mode" in (refusal.value.hint or "")
