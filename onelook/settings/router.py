"""Which zero-shot classifier routes a picture in the arm `hybrid`, and how far it is believed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from onelook.settings.engine import Positive
from onelook.types import Language, Probability


class RouterSettings(BaseModel):
    """The router. Environment names are `ONELOOK_ROUTER__` + field, upper case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["embedded", "vllm"] = Field(
        "embedded", description="SigLIP by Transformers in process, or on a vLLM pooling server."
    )
    model: str | None = Field(
        None,
        description="Hugging Face id or folder, or the name on the server. Default: the demo's beside the demo model,"
        " else google/siglip-so400m-patch14-384; a server's only model.",
    )
    threshold: Probability = Field(
        0.85, description="Below this probability of a category the model itself is asked for it."
    )
    temperature: Positive = Field(
        1.0, description="Similarities are divided by it: over 1 the router is less sure of itself, under 1 more."
    )
    language: Language = Field(
        "en",
        description="Language of the sentences that pictures are compared with, where the taxonomy has it: SigLIP has"
        " learnt English, SigLIP 2 many languages.",
    )
    logit_scale: Positive | None = Field(
        None,
        description="What similarities are multiplied by. Default: as the checkpoint has learnt; where only a server"
        " has its weights, as so400m has (112.3).",
    )

    device: str = Field("auto", description="In process: cpu, cuda, cuda:1, mps, or auto.")

    base_url: str = Field("http://127.0.0.1:8002/v1", description="Address of the pooling server.")
    api_key: SecretStr | None = Field(None, description="Key that the server asks for.")
    timeout_s: Positive = Field(20.0, description="Longest wait for one answer of the server, in seconds.")
    tokenizer: str | None = Field(
        None,
        description="Server: folder or Hugging Face id with the model's tokenizer. Default: what the server loaded.",
    )
