"""Settings of the HTTP server: its address and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from onelook.settings.engine import Positive

AtLeastOne = Annotated[int, Field(ge=1)]


class HttpSettings(BaseModel):
    """The HTTP server. Environment names are `ONELOOK_HTTP__` + field, upper case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 is every network of this machine.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="Port to listen on; 0 picks a free one.")
    workers: AtLeastOne = Field(
        1, description="Processes of `onelook serve`, which share its limits. More than one: the model is on a server."
    )
    api_key: SecretStr | None = Field(None, description="Bearer key that callers must send. Default: no key.")
    cors_origins: tuple[str, ...] = Field(
        (),
        description='Origins whose pages can call, as JSON: ["https://example.org"]. Default: its own page only.',
    )
    allow_urls: bool = Field(
        False, description="Whether callers can name pictures by URL. URLs to private addresses are always refused."
    )
    max_in_flight: AtLeastOne = Field(64, description="Pictures that are tagged at the same time.")
    max_queue: Annotated[int, Field(ge=0)] = Field(
        256, description="Requests that can wait in addition; further ones get HTTP 429."
    )
    deadline_s: Positive = Field(
        120.0, description="Longest time for one picture, in seconds; a caller can set less with X-Timeout-Seconds."
    )
    max_body_mb: Positive = Field(128.0, description="Largest body of a request, in 10^6 bytes.")
    max_held_mb: Positive = Field(
        1024.0, description="Most memory, in 10^6 bytes, for the bodies of all requests together."
    )
    max_batch: AtLeastOne = Field(1000, description="Most pictures of one batch.")
    jobs: Path | None = Field(
        None,
        description="Folder for jobs (POST /v1/jobs), which go on after a restart; it holds the callers' pictures until"
        " they are tagged. Default: no jobs.",
    )
    max_jobs: AtLeastOne = Field(100, description="Jobs that can wait or run; further ones get HTTP 429.")
    keep_jobs_h: Positive = Field(168.0, description="Hours for which the results of a job are kept after its end.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Lines of the log on standard error: text for people, json for programs."
    )
    body_timeout_s: Positive = Field(
        20.0, description="Time for a body to arrive, in seconds; each 64 KiB of it buy one second more."
    )
