"""SigLIP's learned scale of cosines, read from a checkpoint without loading it."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

SO400M = 112.3
"""exp(4.7215), of siglip-so400m-patch14-384 (github.com/mlfoundations/open_clip/issues/746)."""

LENGTH = struct.Struct("<Q")
FORMATS = {"F32": "<f", "F16": "<e"}


def read_logit_scale(folder: Path) -> float | None:
    """The scale in `folder/model.safetensors`; None if there is no such file or no scale in it.

    That format is eight bytes of length, a JSON header with the position of each tensor, and the tensors, in little
    endian (github.com/huggingface/safetensors). Its NumPy reader knows no bfloat16.
    """
    try:
        with (folder / "model.safetensors").open("rb") as file:
            (length,) = LENGTH.unpack(file.read(LENGTH.size))
            entry = json.loads(file.read(length))["logit_scale"]
            begin, end = entry["data_offsets"]
            file.seek(LENGTH.size + length + begin)
            data = file.read(end - begin)
        if entry["dtype"] == "BF16":  # the upper half of a float32
            return math.exp(struct.unpack("<f", b"\0\0" + data)[0])
        return math.exp(struct.unpack(FORMATS[entry["dtype"]], data)[0])
    except (OSError, ValueError, KeyError, OverflowError, struct.error):
        return None
