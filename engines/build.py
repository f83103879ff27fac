"""The engine that the settings name."""

from __future__ import annotations

from engines.chat import ChatEngine
from engines.contract import Engine
from graph.engine_settings import EngineSettings


def build_engine(settings: EngineSettings) -> Engine:
    """Make the engine; nothing is loaded or connected before its first question.

    Raises:
        EngineIncapable: a package of the embedded engine is not installed.
    """
    if settings.engine == "vllm":
        from engines.vllm import vllm_engine

        return vllm_engine(settings)
    from engines.embedded import EmbeddedChat

    return ChatEngine(EmbeddedChat.from_settings(settings))
