from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.observability.receiver import Received, receiving


@pytest.fixture(scope="session")
def noise() -> bytes:
    """A JPEG in which no stretch of bytes is like another, small enough to be sent as it is."""
    pixels = np.random.default_rng(5).integers(0, 256, (224, 280, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture
def noise_file(noise: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "noise.jpg"
    path.write_bytes(noise)
    return path


@pytest.fixture
def received() -> Iterator[Received]:
    with receiving() as listening:
        yield listening
