"""Limits on the size and the origin of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onelook.images.decode_memory import DecodeBudget
from onelook.images.scans import SCANS_OF_LARGEST

if TYPE_CHECKING:
    from onelook.settings.process import Settings

MAX_DECODE_BYTES = 600_000_000
DECODE_BUDGET_BYTES = 1_200_000_000
SCAN_BUDGET_PIXELS = 1_000_000_000
FREE_SCANS = 20  # a twentieth of the worst JPEG takes some 0.3 s


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits, checked before the work: bytes before reading, pixels before decoding, addresses before connecting.

    `max_bytes`: of a file, a download or a data URL once decoded. `max_pixels`: width x height in the header.
    `allow_private_urls`: whether a URL can lead into the network of this machine. `download_timeout_s`: for the whole
    download, redirects included. `max_decode_bytes`: memory that decoding one picture may take. `decode_budget`: what
    the pictures that are decoded at the same time may take together. `scan_budget`: pixels, times their scans, of the
    JPEGs that are decoded at the same time: as many as the worst of them has. `prepare_timeout_s`: seconds for
    decoding and sizing one picture.
    """

    max_bytes: int
    max_pixels: int
    allow_urls: bool
    allow_private_urls: bool
    download_timeout_s: float
    max_decode_bytes: int = MAX_DECODE_BYTES
    decode_budget: DecodeBudget = field(default_factory=lambda: DecodeBudget(DECODE_BUDGET_BYTES), compare=False)
    scan_budget: DecodeBudget = field(
        default_factory=lambda: DecodeBudget(SCAN_BUDGET_PIXELS, free=FREE_SCANS), compare=False
    )
    prepare_timeout_s: float = float("inf")

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that `settings` have."""
        return cls(
            max_bytes=settings.max_image_bytes,
            max_pixels=settings.max_image_pixels,
            allow_urls=settings.allow_urls,
            allow_private_urls=settings.allow_private_urls,
            download_timeout_s=settings.download_timeout_s,
            max_decode_bytes=int(settings.max_decode_mb * 1e6),
            decode_budget=DecodeBudget(int(settings.decode_budget_mb * 1e6)),
            scan_budget=DecodeBudget(SCANS_OF_LARGEST * settings.max_image_pixels, free=FREE_SCANS),
            prepare_timeout_s=settings.prepare_timeout_s,
        )
