"""Run by Python at start in the vLLM CPU server only (`tools/vllm_cpu/server.py` puts this folder on its PYTHONPATH).

torchvision from PyPI is built for CUDA. Under a CPU build of torch its compiled operators do not load, and its import
fails with "operator torchvision::nms does not exist", although vLLM's Qwen2-VL code needs its image transforms only.
Declaring the two operators is enough; nothing calls them.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.metadata import version
from types import ModuleType

NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class DeclareTorchvisionOperators(importlib.abc.MetaPathFinder):
    """Declares the operators at the first import of torchvision, then removes itself. It finds no module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            if builds_differ():
                import torch

                for operator in ("nms", "qnms"):
                    torch.library.define(f"torchvision::{operator}", NMS)
        return None


def builds_differ() -> bool:
    """Whether torch is a CPU build and torchvision is not. If both are, torchvision declares its own operators."""
    return version("torch").endswith("+cpu") and not version("torchvision").endswith("+cpu")


sys.meta_path.insert(0, DeclareTorchvisionOperators())
