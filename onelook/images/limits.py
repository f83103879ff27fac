"""Limits on the size and the origin of a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits, checked before the work: bytes before reading, pixels before decoding, addresses before connecting.

    `max_bytes`: of a file, a download or a data URL once decoded. `max_pixels`: width x height in the header.
    `allow_private_urls`: whether a URL can lead into the network of this machine. `download_timeout_s`: for the whole
    download, redirects included.
    """

    max_bytes: int
    max_pixels: int
    allow_urls: bool
    allow_private_urls: bool
    download_timeout_s: float
