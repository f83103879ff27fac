"""The engine that the settings name."""

from __future__ import annotations

from onelook.engines.base import Engine
from onelook.engines.chat import ChatEngine
from onelook.settings.engine import EngineSettings


def build_engine(settings: EngineSettings) -> Engine:
    """Make the engine; nothing is loaded or connected before its first question.

    Raises:
        EngineIncapable: a package of the embedded engine is not installed.
    """
    if settings.engine == "vllm":
        from onelook.engines.openai.chat_model import vllm_engine

        return vllm_engine(settings)
    from onelook.engines.transformers.chat_model import EmbeddedChat

    return ChatEngine(EmbeddedChat.from_settings(settings))
