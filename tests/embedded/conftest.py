"""The embedded engine on the checkpoint of random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.embedded import EmbeddedChat
from engines.loading import leave_one_core


@pytest.fixture(scope="session", autouse=True)
def _core_for_others() -> None:
    """Tests that compute in their own thread do as the engine's worker thread does."""
    leave_one_core()


@pytest.fixture(scope="session")
def chat(tiny_checkpoint: Path) -> Iterator[EmbeddedChat]:
    """One loaded model for all tests that do not care what it was asked before."""
    chat = EmbeddedChat(model=str(tiny_checkpoint))
    yield chat
    chat.close()
