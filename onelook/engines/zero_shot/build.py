"""The router that the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from onelook.engines.throttle import Throttle
from onelook.engines.zero_shot.base import Router
from onelook.engines.zero_shot.embedded import EmbeddedSiglip
from onelook.engines.zero_shot.encoder import Encoder
from onelook.engines.zero_shot.router import SiglipRouter
from onelook.settings.cache_folder import cache_folder
from onelook.settings.router import RouterSettings

DEFAULT = "google/siglip-so400m-patch14-384"


def build_router(settings: RouterSettings, texts: Sequence[str]) -> Router:
    """Make the router; nothing is loaded or connected before its first picture.

    Raises:
        SettingsError: `base_url` is no http(s) address.
    """
    encoder: Encoder
    throttles: tuple[Throttle, ...] = ()
    if settings.engine == "vllm":
        # Imported here: a router in this process needs no HTTP client.
        from onelook.engines.openai.server import OpenAIServer
        from onelook.engines.zero_shot.server import ServedSiglip

        server = OpenAIServer(
            settings.base_url,
            api_key=settings.api_key,
            timeout_s=settings.timeout_s,
            max_retry_after_s=settings.max_retry_after_s,
            max_outage_s=settings.max_outage_s,
            variables=settings.variables,
        )
        throttles = (server.throttle,)
        encoder = ServedSiglip(
            server, model=settings.model, tokenizer=settings.tokenizer, logit_scale=settings.logit_scale
        )
    else:
        encoder = EmbeddedSiglip(settings.model or DEFAULT, device=settings.device, logit_scale=settings.logit_scale)
    return SiglipRouter(
        encoder, texts, temperature=settings.temperature, cache=cache_folder() / "texts", throttles=throttles
    )
