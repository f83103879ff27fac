"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.demo_model.tiny import build_tiny_checkpoint
from tools.demo_model.tiny_siglip import build_tiny_siglip


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint of random weights that both engines load."""
    return build_tiny_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="session")
def tiny_siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a SigLIP of random weights, for a router that knows nothing."""
    return build_tiny_siglip(tmp_path_factory.mktemp("checkpoints") / "siglip")
