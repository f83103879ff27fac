"""The embedded engine on the checkpoint of random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.generation import Generator
from onelook.engines.transformers.loading import LoadOptions, leave_one_core, load_checkpoint
from tests.embedded.architectures import ARCHITECTURES, MakeGenerator


@pytest.fixture(scope="session", autouse=True)
def _core_for_others() -> None:
    """Tests that compute in their own thread do as the engine's worker thread does."""
    leave_one_core()


@pytest.fixture(scope="session")
def engine(tiny_checkpoint: Path) -> Iterator[TransformersEngine]:
    """One loaded model for all tests that do not care what it was asked before."""
    engine = TransformersEngine(str(tiny_checkpoint))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def make_generator(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeGenerator:
    """A generator of an architecture, with so many bytes for the states of prefixes and for encoded pictures."""
    folders: dict[str, Path] = {}

    def make(architecture: str, prefix_cache_bytes: int, vision_cache_bytes: int = 0) -> Generator:
        if architecture not in folders:
            folders[architecture] = tmp_path_factory.mktemp("architectures") / architecture
            ARCHITECTURES[architecture](tiny_checkpoint, folders[architecture])
        checkpoint = load_checkpoint(str(folders[architecture]), LoadOptions())
        return Generator(checkpoint, prefix_cache_bytes=prefix_cache_bytes, vision_cache_bytes=vision_cache_bytes)

    return make


@pytest.fixture(scope="module")
def plain(make_generator: MakeGenerator) -> Generator:
    """A generator that keeps no states."""
    return make_generator("qwen2_5_vl", 0)
