"""Settings of the router: the zero-shot classifier of the arm `hybrid`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from onelook.settings.engine import EngineKind, Positive
from onelook.types import Language, Probability


class RouterSettings(BaseModel):
    """The router. Environment names are `ONELOOK_ROUTER__` + field, upper case."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    variables: ClassVar[str] = "ONELOOK_ROUTER__"

    engine: EngineKind = Field(
        "embedded", description="SigLIP by Transformers in process, or on a vLLM pooling server."
    )
    model: str | None = Field(
        None,
        description="Hugging Face id or folder, or the name on the server. Default: the demo router with the demo"
        " model, otherwise google/siglip-so400m-patch14-384; on a server its only model.",
    )
    threshold: Probability = Field(
        0.85, description="Below this probability the model is asked for the category as well."
    )
    temperature: Positive = Field(
        1.0, description="Divides the similarities: above 1 the probabilities become flatter, below 1 sharper."
    )
    language: Language = Field(
        "en",
        description="Language of the sentences that pictures are compared with, if the taxonomy has it. SigLIP was"
        " trained on English, SigLIP 2 on many languages.",
    )
    logit_scale: Positive | None = Field(
        None,
        description="Factor of the similarities. Default: the checkpoint's own; if only a server has the weights, that"
        " of so400m (112.3).",
    )

    device: str = Field("auto", description="Embedded: cpu, cuda, cuda:1, mps, or auto.")

    base_url: str = Field("http://127.0.0.1:8002/v1", description="Address of the pooling server.")
    api_key: SecretStr | None = Field(None, description="API key of the server.")
    timeout_s: Positive = Field(20.0, description="Longest wait for one response of the server, in seconds.")
    max_retry_after_s: Positive = Field(
        120.0, description="Longest wait that the server can ask for with Retry-After, in seconds."
    )
    max_outage_s: Positive | None = Field(
        None,
        description="So long, in seconds, the server can be down or refuse every request before pictures fail. Default:"
        " as long as it takes.",
    )
    tokenizer: str | None = Field(
        None,
        description="Server: folder or Hugging Face id with the model's tokenizer. Default: what the server loaded.",
    )
