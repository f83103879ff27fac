"""Fixtures that more than one folder of tests needs, and what holds for every test."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

# A busy machine draws and runs examples slowly, and that is no fault: no deadline, and no check of how fast data comes.
settings.register_profile("any-machine", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

# The terminal's runs are in the language of the locale: not in that of the machine that runs the tests.
os.environ["LC_ALL"] = "C.UTF-8"

if "PYTEST_XDIST_WORKER" in os.environ:
    # One core a worker: threads of PyTorch that share a core wait for each other. Set before anything imports torch.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], Path]) -> Path:
    """The folder that `build` fills, shared by all pytest-xdist workers of a run; the first that needs it builds it."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "checkpoints" / name
    with FileLock(shared / f"{name}.lock"):
        if not folder.exists():
            unfinished = folder.with_name(f"{name}.unfinished")
            build(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint of random weights that both engines load."""
    from tools.demo_model.tiny import build_tiny_checkpoint  # imports PyTorch, which most tests do not need

    return built_once(tmp_path_factory, "tiny", build_tiny_checkpoint)


@pytest.fixture(scope="session")
def tiny_siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a SigLIP of random weights, for a router that knows nothing."""
    from tools.demo_model.tiny_siglip import build_tiny_siglip  # imports PyTorch, which most tests do not need

    return built_once(tmp_path_factory, "siglip", build_tiny_siglip)
