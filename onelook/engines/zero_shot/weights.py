"""SigLIP's weights in this process: tensors in, vectors out. Imported where PyTorch is needed, and not before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from transformers import AutoImageProcessor, AutoModel

from onelook.engines.transformers.loading import INCOMPLETE, choose_device, refuse_unfit
from onelook.engines.zero_shot.files import SiglipFiles, quiet
from onelook.engines.zero_shot.vectors import Vector, unit
from onelook.errors import EngineIncapable


class SiglipWeights:
    """Both towers of the checkpoint in `files`. Not safe for several threads.

    Raises, when it is made:
        EngineIncapable: no such device, too little memory, or weights that are missing or broken.
    """

    def __init__(self, files: SiglipFiles, *, device: str) -> None:
        self.files = files
        self.device = choose_device(device)
        # Half precision on a GPU has 11 bits where bfloat16 has 8, and cosines are multiplied by 100 and more.
        self.dtype = torch.float32 if self.device.type == "cpu" else torch.float16
        with quiet():
            try:
                self.processor: Any = AutoImageProcessor.from_pretrained(
                    files.folder, local_files_only=True, backend="pil"
                )
                outcome: Any = AutoModel.from_pretrained(
                    files.folder,
                    dtype=self.dtype,
                    device_map={"": self.device},
                    local_files_only=True,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # reported below, with the missing ones
                )
            except torch.OutOfMemoryError as error:
                raise EngineIncapable(
                    f"router: {files.folder} does not fit into the memory of {self.device}: {error}",
                    hint="set ONELOOK_ROUTER__DEVICE=cpu",
                ) from error
            except (OSError, ValueError, ImportError, SafetensorError) as error:
                raise EngineIncapable(
                    f"router: cannot load the model in {files.folder}: {error}", hint=INCOMPLETE
                ) from error
        model, report = outcome
        refuse_unfit(files.folder, report)
        self.model: Any = model.eval()

    @property
    def logit_scale(self) -> float:
        """What the weights multiply cosines with."""
        return float(self.model.logit_scale.detach().exp())

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> list[Vector]:
        ids = torch.tensor(self.files.token_ids(texts), device=self.device)
        return _units(self.model.get_text_features(input_ids=ids).pooler_output)

    @torch.inference_mode()
    def encode_pictures(self, pictures: Sequence[Image.Image]) -> list[Vector]:
        inputs = self.processor(images=[picture.convert("RGB") for picture in pictures], return_tensors="pt")
        return _units(self.model.get_image_features(**inputs.to(self.device, self.dtype)).pooler_output)


def _units(vectors: torch.Tensor) -> list[Vector]:
    """Rows of `vectors` [count, dimension], each of length 1."""
    try:
        return [unit(vector) for vector in vectors.float().tolist()]
    except ValueError as error:
        raise EngineIncapable(
            f"router: the model's vectors are {error}",
            hint="set ONELOOK_ROUTER__DEVICE=cpu, or copy the model folder again",
        ) from None
