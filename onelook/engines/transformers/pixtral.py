"""Pixtral's processor where there is no torchvision."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def pixtral_processor() -> Any:
    """Transformers' `PixtralProcessor`.

    Its module takes one function, a computation of sizes, from a module that cannot be imported without torchvision.
    The Pillow twin of that module has the same function, and stands in for it.
    """
    from transformers.models.pixtral import image_processing_pil_pixtral
    from transformers.utils.import_utils import is_torchvision_available

    if not is_torchvision_available():
        sys.modules.setdefault("transformers.models.pixtral.image_processing_pixtral", image_processing_pil_pixtral)
    return importlib.import_module("transformers.models.pixtral.processing_pixtral").PixtralProcessor
