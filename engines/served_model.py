"""Which model a server has, and how it is to be constrained: read from `GET /v1/models`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engines.openai_request import Guidance
from engines.openai_server import OpenAIServer
from graph.errors import EngineIncapable


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What one server answers to."""

    name: str
    guidance: Guidance


async def find_model(
    server: OpenAIServer, wanted: str | None, guidance: Literal["auto"] | Guidance = "auto"
) -> ServedModel:
    """The model named `wanted`, or the server's only one. `auto` guidance is `structured_outputs` on vLLM.

    Raises:
        EngineIncapable: no such model, several to choose from, none at all, or no list of models.
        EngineError: the server did not answer (see `OpenAIServer`).
    """
    listing = (await server.get("models")).get("data")
    cards = [card for card in listing if isinstance(card, Mapping)] if isinstance(listing, list) else []
    names = [str(card.get("id")) for card in cards]
    if not names:
        raise EngineIncapable(
            f"{server.address} lists no model", hint="base_url must lead to an OpenAI-compatible server with a model"
        )
    listed = ", ".join(names[:20])
    if wanted is None and len(names) > 1:
        raise EngineIncapable(f"{server.address} has several models: {listed}", hint="name one of them: model=…")
    if wanted is not None and wanted not in names:
        raise EngineIncapable(f"{server.address} has no model {wanted!r}; it has: {listed}", hint="name one of them")
    card = cards[names.index(wanted) if wanted is not None else 0]
    if guidance == "auto":
        guidance = "structured_outputs" if _is_vllm(card) else "response_format"
    return ServedModel(str(card["id"]), guidance)


def _is_vllm(card: Mapping[str, Any]) -> bool:
    return card.get("owned_by") == "vllm"
