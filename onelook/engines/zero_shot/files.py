"""The files of a SigLIP checkpoint except its weights: found on this machine, read without PyTorch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from onelook.engines.transformers.loading import INCOMPLETE, find_checkpoint, no_progress_bars
from onelook.errors import EngineIncapable, SettingsError
from onelook.settings.hints import set_to

ARCHITECTURES = (
    "siglip",
    "siglip2",
)  # the SigLIP 2 of a fixed size is built like the first, and its config says siglip
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model")
TEXT_TOKENS = 64
BICUBIC = 3  # as Pillow numbers its filters


@dataclass(frozen=True, slots=True)
class SiglipFiles:
    """`size` is what the checkpoint's pictures are scaled to, (width, height), by Pillow's filter `resample`; None
    where that depends on the picture (SigLIP 2, NaFlex). `text_tokens`: the length that every text is padded to."""

    folder: Path
    tokenizer: Any
    text_tokens: int
    size: tuple[int, int] | None
    resample: int

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Each text in `text_tokens` ids, in lower case: SigLIP 2 was trained so, SigLIP's tokenizer does it itself.

        Raises:
            SettingsError: a text is longer. It is not cut, because its meaning could change.
        """
        lengths = [len(ids) for ids in self.tokenizer([text.lower() for text in texts])["input_ids"]]
        too_long = [each for each in zip(texts, lengths, strict=True) if each[1] > self.text_tokens]
        if too_long:
            (text, length), *others = too_long
            raise SettingsError(
                f"the router reads {self.text_tokens} tokens, and this text has {length}: {text[:200]!r}"
                + (f"; {len(others)} more texts are too long" if others else ""),
                hint="shorten the category's `when` in the taxonomy, or take an arm without a router:"
                f" {set_to(ONELOOK_RUN__ARM='fused')}",
            )
        padded = self.tokenizer([text.lower() for text in texts], padding="max_length", max_length=self.text_tokens)
        ids: list[list[int]] = padded["input_ids"]
        return ids


def read_files(model: str, *, elsewhere: str) -> SiglipFiles:
    """The files of `model`, a folder or a Hugging Face id that is in the local cache; nothing is downloaded.

    `elsewhere` is the hint if they are missing.

    Raises:
        EngineIncapable: they are missing, or not those of a SigLIP, or a package is missing.
    """
    # Without PyTorch, Transformers warns when it is imported; a tokenizer does not need PyTorch.
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise EngineIncapable(
            f"the router needs the package {error.name}, which is not installed", hint="pip install 'onelook[router]'"
        ) from None
    try:
        folder = find_checkpoint(model)
    except EngineIncapable as error:
        raise EngineIncapable(f"router: {error.message}", hint=elsewhere) from None
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        pictures = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
        kind = config["model_type"]
    except (OSError, ValueError, KeyError) as error:
        raise EngineIncapable(f"router: {folder} is no model folder: {error}", hint=elsewhere) from None
    if not any((folder / name).is_file() for name in TOKENIZERS):  # Transformers would make up an empty one
        raise EngineIncapable(f"router: {folder} has no {' or '.join(TOKENIZERS)}", hint=INCOMPLETE)
    if kind not in ARCHITECTURES:
        raise EngineIncapable(
            f"router: {folder} holds a {kind} model, which has no common space of texts and pictures",
            hint="use a SigLIP: ONELOOK_ROUTER__MODEL=google/siglip-so400m-patch14-384",
        )
    with quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, ImportError) as error:
            message = " ".join(str(error).split())
            raise EngineIncapable(
                f"router: cannot read the tokenizer in {folder}: {message}",
                hint=f"pip install 'onelook[router]' brings what SigLIP's own needs; else {INCOMPLETE}",
            ) from error
    size = pictures.get("size") or {}
    return SiglipFiles(
        folder=folder,
        tokenizer=tokenizer,
        text_tokens=config.get("text_config", {}).get("max_position_embeddings", TEXT_TOKENS),
        size=(size["width"], size["height"]) if "width" in size else None,
        resample=pictures.get("resample", BICUBIC),
    )


def content_hash(folder: Path, *patterns: str) -> str:
    """SHA-256 over the files that match. The Hugging Face cache names files by their hash, so those are not read."""
    whole = sha256()
    for file in sorted({file for pattern in patterns for file in folder.glob(pattern)}):
        blob = file.resolve()
        if blob.parent.name == "blobs":
            digest = blob.name
        else:
            with file.open("rb") as content:
                digest = file_digest(content, "sha256").hexdigest()
        whole.update(f"{file.name} {digest}\n".encode())
    return whole.hexdigest()


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, Transformers draws no bars, and does not warn about unused defaults of a SigLIP configuration (token ids
    outside of its own vocabulary)."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with no_progress_bars():
            yield
    finally:
        logging.set_verbosity(verbosity)
