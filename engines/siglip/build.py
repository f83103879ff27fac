"""The router that the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from engines.openai_server import OpenAIServer
from engines.router import Router
from engines.siglip.embedded import EmbeddedSiglip
from engines.siglip.encoder import Encoder
from engines.siglip.router import SiglipRouter
from engines.siglip.server import ServedSiglip
from graph.cache_folder import cache_folder
from graph.router_settings import RouterSettings

DEFAULT = "google/siglip-so400m-patch14-384"


def build_router(settings: RouterSettings, texts: Sequence[str]) -> Router:
    """Make the router; nothing is loaded or connected before its first picture.

    Raises:
        SettingsError: `base_url` is no http(s) address.
    """
    encoder: Encoder
    if settings.engine == "vllm":
        server = OpenAIServer(settings.base_url, api_key=settings.api_key, timeout_s=settings.timeout_s)
        encoder = ServedSiglip(
            server, model=settings.model, tokenizer=settings.tokenizer, logit_scale=settings.logit_scale
        )
    else:
        encoder = EmbeddedSiglip(settings.model or DEFAULT, device=settings.device, logit_scale=settings.logit_scale)
    return SiglipRouter(encoder, texts, temperature=settings.temperature, cache=cache_folder() / "texts")
