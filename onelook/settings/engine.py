"""Which model answers, and how it is reached or loaded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Positive = Annotated[float, Field(gt=0)]


class EngineSettings(BaseModel):
    """One engine. The first one's settings stand at the top of `onelook.settings.process.Settings`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["embedded", "vllm"] = Field("embedded", description="Transformers in process, or a server.")
    model: str | None = Field(
        None,
        description="Model name, Hugging Face id or folder. Default: the bundled demo, or the server's only model.",
    )
    base_url: str = Field("http://127.0.0.1:8000/v1", description="Address of the OpenAI-compatible server.")
    api_key: SecretStr | None = Field(None, description="Key that the server asks for.")
    guidance: Literal["auto", "structured_outputs", "response_format"] = Field(
        "auto",
        description="How a server is constrained: vLLM's structured_outputs (exact) or the portable response_format;"
        " auto takes the first on a vLLM server.",
    )
    batch: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether a server gets one-token questions about a picture in one request; auto where it has them.",
    )
    timeout_s: Positive = Field(60.0, description="Longest wait for one engine call, in seconds.")

    device: str = Field("auto", description="Embedded engine: cpu, cuda, cuda:1, mps, or auto.")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="Embedded engine: number format of the weights; auto is bfloat16 on a GPU, else float32."
    )
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = Field(
        "auto", description="Embedded engine: attention kernel; auto takes flash_attention_2 where it is installed."
    )
    quantization: Literal["none", "8bit", "4bit"] = Field("none", description="Embedded engine: bitsandbytes weights.")
    min_pixels: Annotated[int, Field(gt=0)] | None = Field(
        None, description="Embedded engine: fewest pixels the processor scales a picture to. Default: the model's own."
    )
    max_pixels: Annotated[int, Field(gt=0)] | None = Field(
        None, description="Embedded engine: most pixels the processor scales a picture to. Default: the model's own."
    )
    prefix_cache_mb: Annotated[int, Field(ge=0)] = Field(
        512, description="Embedded engine: memory for reused attention states (prompt prefix, picture); 0 turns it off."
    )
