"""The router that the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from onelook.engines.openai.server import OpenAIServer
from onelook.engines.zero_shot.base import Router
from onelook.engines.zero_shot.embedded import EmbeddedSiglip
from onelook.engines.zero_shot.encoder import Encoder
from onelook.engines.zero_shot.router import SiglipRouter
from onelook.engines.zero_shot.server import ServedSiglip
from onelook.settings.cache_folder import cache_folder
from onelook.settings.router import RouterSettings

REQUESTS = 4
DEFAULT = "google/siglip-so400m-patch14-384"


def build_router(settings: RouterSettings, texts: Sequence[str]) -> Router:
    """Make the router; nothing is loaded or connected before its first picture.

    Raises:
        SettingsError: `base_url` is no http(s) address.
    """
    encoder: Encoder
    if settings.engine == "vllm":
        server = OpenAIServer(
            settings.base_url,
            api_key=settings.api_key,
            timeout_s=settings.timeout_s,
            variables=settings.variables,
        )
        encoder = ServedSiglip(
            server, model=settings.model, tokenizer=settings.tokenizer, logit_scale=settings.logit_scale
        )
    else:
        encoder = EmbeddedSiglip(settings.model or DEFAULT, device=settings.device, logit_scale=settings.logit_scale)
    # The first picture takes up to four requests: the model's name, a text that checks the cache, all texts, itself.
    patience_s = REQUESTS * settings.timeout_s if settings.engine == "vllm" else None
    return SiglipRouter(
        encoder, texts, temperature=settings.temperature, cache=cache_folder() / "texts", patience_s=patience_s
    )
