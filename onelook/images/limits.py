"""Limits on the size and the origin of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field

from onelook.images.decode_memory import DecodeBudget

MAX_DECODE_BYTES = 600_000_000
DECODE_BUDGET_BYTES = 1_200_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits, checked before the work: bytes before reading, pixels before decoding, addresses before connecting.

    `max_bytes`: of a file, a download or a data URL once decoded. `max_pixels`: width x height in the header.
    `allow_private_urls`: whether a URL can lead into the network of this machine. `download_timeout_s`: for the whole
    download, redirects included. `max_decode_bytes`: memory that decoding one picture may take. `decode_budget`: what
    the pictures that are decoded at the same time may take together.
    """

    max_bytes: int
    max_pixels: int
    allow_urls: bool
    allow_private_urls: bool
    download_timeout_s: float
    max_decode_bytes: int = MAX_DECODE_BYTES
    decode_budget: DecodeBudget = field(default_factory=lambda: DecodeBudget(DECODE_BUDGET_BYTES), compare=False)
