"""What the HTTP door lets in, and where it listens."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from onelook.settings.engine import Positive

AtLeastOne = Annotated[int, Field(ge=1)]


class HttpSettings(BaseModel):
    """The HTTP door. Environment names are `ONELOOK_HTTP__` + field, upper case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen at; 0.0.0.0 is every network of this machine.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="Port to listen at; 0 takes a free one.")
    api_key: SecretStr | None = Field(None, description="Bearer key that callers must send. Default: none is needed.")
    cors_origins: tuple[str, ...] = Field(
        (), description='Origins whose pages may call, as JSON: ["https://example.org"]. Default: none but our own.'
    )
    allow_urls: bool = Field(
        False, description="Whether callers may name pictures by URL; never one that leads to a private address."
    )
    max_in_flight: AtLeastOne = Field(64, description="Pictures that are looked at at once.")
    max_queue: Annotated[int, Field(ge=0)] = Field(
        256, description="Requests that may wait beyond those; the next one is answered 429."
    )
    deadline_s: Positive = Field(
        120.0, description="Longest time for one picture, in seconds; a caller may ask for less with X-Timeout-Seconds."
    )
    max_body_mb: Positive = Field(128.0, description="Largest body of a request, in 10^6 bytes.")
    max_held_mb: Positive = Field(1024.0, description="Most bytes, in 10^6, of all bodies that are held at once.")
    max_batch: AtLeastOne = Field(1000, description="Most pictures of one batch.")
    body_timeout_s: Positive = Field(
        20.0, description="Time for a body to arrive, in seconds; each 64 KiB of it buy one second more."
    )
