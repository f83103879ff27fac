"""Settings of an engine: its model, and how the model is reached or loaded."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Positive = Annotated[float, Field(gt=0)]
EngineKind = Literal["embedded", "vllm"]


class EngineSettings(BaseModel):
    """One engine. The first engine's settings are the top-level fields of `onelook.settings.process.Settings`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    variables: ClassVar[str] = "ONELOOK_SPECIALIST__"
    """How the names of its environment variables begin."""

    engine: EngineKind = Field(
        "embedded", description="embedded: Transformers in this process; vllm: an OpenAI-compatible server."
    )
    model: str | None = Field(
        None,
        description="Model name, Hugging Face id or folder. Default: the bundled demo, or the server's only model.",
    )
    base_url: str = Field("http://127.0.0.1:8000/v1", description="Address of the OpenAI-compatible server.")
    replicas: tuple[str, ...] = Field(
        (),
        description="Addresses of further servers with the same model: each request goes to the one with the least to"
        " do. A JSON list in the environment.",
    )
    api_key: SecretStr | None = Field(None, description="API key of the server.")
    guidance: Literal["auto", "structured_outputs", "response_format"] = Field(
        "auto",
        description="How the constraint is sent to a server: vLLM's structured_outputs (exact) or the portable"
        " response_format; auto uses structured_outputs on a vLLM server.",
    )
    batch: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether a server gets the one-token questions about a picture in one request; auto: if it can.",
    )
    thinking: bool = Field(
        False,
        description="Whether a model that can think does so before it answers (enable_thinking of its chat template).",
    )
    prefill: bool = Field(
        False,
        description="Server: whether the beginning that every reply has is sent as the start of the answer in place of"
        " decoded (vLLM's continue_final_message).",
    )
    size_grid: Annotated[int, Field(ge=1, le=224)] | None = Field(
        None,
        description="Pictures are sent in multiples of so many pixels: those of one image token (28 for Qwen2.5-VL, 32"
        " for Qwen3-VL). Default: as the model's files or its name say.",
    )
    timeout_s: Positive = Field(60.0, description="Longest wait for one engine call, in seconds.")
    max_retry_after_s: Positive = Field(
        120.0, description="Server: longest wait that it can ask for with Retry-After, in seconds."
    )
    max_outage_s: Positive | None = Field(
        None,
        description="Server: so long, in seconds, it can be down or refuse every request before pictures fail. Default:"
        " as long as it takes; the deadline of a request to the HTTP server holds.",
    )

    device: str = Field("auto", description="Embedded engine: cpu, cuda, cuda:1, mps, or auto.")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto",
        description="Embedded engine: number format of the weights; auto is bfloat16 on a GPU, otherwise float32.",
    )
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = Field(
        "auto", description="Embedded engine: attention kernel; auto uses flash_attention_2 if it is installed."
    )
    quantization: Literal["none", "8bit", "4bit"] = Field("none", description="Embedded engine: bitsandbytes weights.")
    min_pixels: Annotated[int, Field(gt=0)] | None = Field(
        None,
        description="Embedded engine: smaller pictures are scaled up to so many pixels. Default: the model's own.",
    )
    max_pixels: Annotated[int, Field(gt=0)] | None = Field(
        None,
        description="Embedded engine: larger pictures are scaled down to so many pixels. Default: the model's own.",
    )
    prefix_cache_mb: Annotated[int, Field(ge=0)] = Field(
        512, description="Embedded engine: memory for reused attention states (prompt prefix, picture); 0 turns it off."
    )
    vision_cache_mb: Annotated[int, Field(ge=0)] = Field(
        128,
        description="Embedded engine: memory for reused outputs of the vision encoder (the same picture in another"
        " question); 0 turns it off.",
    )
    jump_forward: bool = Field(
        True,
        description="Embedded engine: whether tokens that the constraint leaves no choice about are computed in one"
        " pass, not one by one.",
    )
    batch_size: Annotated[int, Field(ge=1, le=256)] = Field(
        1,
        description="Embedded engine: the most requests that it answers in one padded batch, of those that wait at the"
        " same time; memory grows with it. Qwen2-VL, Qwen2.5-VL and Qwen3-VL; others are answered one by one.",
    )
