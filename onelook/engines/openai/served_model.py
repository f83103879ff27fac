"""Which model a server has, how it is constrained, and whether it takes several questions in one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from onelook.engines.openai.batch import PATH as BATCH_PATH
from onelook.engines.openai.request import Guidance
from onelook.engines.openai.server import OpenAIServer
from onelook.errors import EngineIncapable
from onelook.settings.hints import set_to


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The model that one server serves."""

    name: str
    guidance: Guidance
    batches: bool
    """Whether it takes several questions in one request (see `onelook.engines.openai.batch`)."""
    root: str | None = None
    """What it was loaded from, a folder or a Hugging Face id; None if the server does not report it (vLLM does)."""


async def find_model(
    server: OpenAIServer,
    wanted: str | None,
    guidance: Literal["auto"] | Guidance = "auto",
    batch: Literal["auto", "always", "never"] = "auto",
) -> ServedModel:
    """The model named `wanted`, or the server's only one.

    `auto` guidance is `structured_outputs` on vLLM; `auto` batch asks such a server whether it has the route.

    Raises:
        EngineIncapable: no such model, several to choose from, none at all, or no list of models.
        EngineError: the server did not answer (see `OpenAIServer`).
    """
    listing = (await server.get("models")).get("data")
    cards = [card for card in listing if isinstance(card, Mapping)] if isinstance(listing, list) else []
    names = [str(card.get("id")) for card in cards]
    if not names:
        raise EngineIncapable(
            f"{server.address} lists no model",
            hint=f"name an OpenAI-compatible server with a model: {server.at('http://127.0.0.1:8000/v1')}",
        )
    listed = ", ".join(names[:20])
    choose = f"name one of them: {set_to(**{f'{server.variables}MODEL': names[0]})}"
    if wanted is None and len(names) > 1:
        raise EngineIncapable(f"{server.address} has several models: {listed}", hint=choose)
    if wanted is not None and wanted not in names:
        raise EngineIncapable(f"{server.address} has no model {wanted!r}; it has: {listed}", hint=choose)
    card = cards[names.index(wanted) if wanted is not None else 0]
    if guidance == "auto":
        guidance = "structured_outputs" if _is_vllm(card) else "response_format"
    if batch == "auto":
        batches = guidance == "structured_outputs" and await server.takes(BATCH_PATH)
    else:
        batches = batch == "always"
    root = card.get("root")
    return ServedModel(str(card["id"]), guidance, batches, root if isinstance(root, str) else None)


def _is_vllm(card: Mapping[str, Any]) -> bool:
    return card.get("owned_by") == "vllm"
