"""`python -m …` in a process of its own that need not import PyTorch again: each is forked from one that has.

That one has imported libraries, and computed nothing: a fork has its own environment, folder, output and exit code.
What tests of imports are about, and what is read from the environment at import, needs a process from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.patience import HANG_S

LIBRARIES = [
    "torch",
    "accelerate",
    "xgrammar",
    "safetensors.torch",
    "transformers.models.auto.modeling_auto",
    "transformers.models.qwen2_5_vl.modeling_qwen2_5_vl",
    "transformers.models.qwen2_5_vl.processing_qwen2_5_vl",
    "transformers.models.siglip.modeling_siglip",
    "onelook.tagger",
]


def run_module(
    module: str, *arguments: str | Path, environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments…` with this environment in this folder, to its end."""
    words = [module, *map(str, arguments)]
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(LIBRARIES)
    with tempfile.TemporaryDirectory() as held:
        output = [Path(held) / name for name in ("stdout", "stderr")]
        process = forks.Process(target=_fork, args=(words, dict(environment), str(folder), list(map(str, output))))
        process.start()
        process.join(HANG_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        stdout, stderr = (file.read_text(encoding="utf-8") for file in output)
    assert process.exitcode is not None
    return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr)


def _fork(words: list[str], environment: dict[str, str], folder: str, output: list[str]) -> None:
    for number, path in enumerate(output, start=1):
        held = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(held, number)
        os.close(held)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
