"""Which weights the demo runs on."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

TRAINED = Path(__file__).parent / "checkpoints" / "vlm"


def demo_checkpoint() -> Path:
    """The bundled trained checkpoint; as long as there is none, one with random weights, made once and kept.

    Kept in `$XDG_CACHE_HOME/onelook`, or `~/.cache/onelook`. Needs the `embedded` extra to make it.
    """
    if TRAINED.is_dir():
        return TRAINED
    from demo import tiny

    texts = tiny.prompt_texts()
    made_from = hashlib.sha256("".join([*texts, Path(tiny.__file__).read_text(encoding="utf-8")]).encode())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onelook"
    folder = cache / f"random-{made_from.hexdigest()[:12]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = tiny.build_tiny_checkpoint(Path(scratch) / "checkpoint", texts=texts)
            try:
                made.rename(folder)
            except OSError:  # another process was first
                if not folder.is_dir():
                    raise
    return folder


def demo_note() -> str | None:
    """What must be said beside an answer of the demo checkpoint."""
    if TRAINED.is_dir():
        return "the demo model knows the bundled album's drawings only; for photographs name a real one with --model"
    return (
        "the demo model's weights are random, so its answers mean nothing: it shows the machine at work;"
        " for real answers name a model with --model, or a server with --engine vllm --base-url"
    )
