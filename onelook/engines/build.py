"""The engine that the settings name."""

from __future__ import annotations

from onelook.engines.base import Engine
from onelook.settings.engine import EngineSettings


def build_engine(settings: EngineSettings) -> Engine:
    """Make the engine; nothing is loaded or connected before its first question.

    Raises:
        EngineIncapable: a package of the embedded engine is not installed.
    """
    if settings.engine == "vllm" and settings.replicas:
        from onelook.engines.openai.replicas import Replicas

        return Replicas.from_settings(settings)
    if settings.engine == "vllm":
        from onelook.engines.openai.engine import OpenAIEngine

        return OpenAIEngine.from_settings(settings)
    from onelook.engines.transformers.engine import TransformersEngine

    return TransformersEngine.from_settings(settings)
