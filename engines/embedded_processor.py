"""The processor of a checkpoint: from a conversation with pictures to a model's inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.errors import EngineIncapable

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, ProcessorMixin


def load_processor(
    folder: Path, config: PreTrainedConfig, *, min_pixels: int | None, max_pixels: int | None
) -> ProcessorMixin:
    """Load the processor in `folder`; it scales pictures to `min_pixels` … `max_pixels` (None: its own limit).

    Raises:
        EngineIncapable: it has no part for pictures, no chat template, or no such limits.
        OSError, ValueError, ImportError: from Transformers, for files that it cannot read.
    """
    from transformers import PROCESSOR_MAPPING, AutoProcessor, ProcessorMixin
    from transformers.utils.import_utils import is_torchvision_available

    sizes = {"min_pixels": min_pixels, "max_pixels": max_pixels}
    given: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    kind: Any = PROCESSOR_MAPPING.get(type(config), None)
    if kind is not None and "video_processor" in kind.get_attributes() and not is_torchvision_available():
        processor = _without_video(kind).from_pretrained(folder, local_files_only=True, **given)
    else:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True, **given)
    if not isinstance(processor, ProcessorMixin) or processor.chat_template is None:
        raise EngineIncapable(
            f"{folder} lacks a processor for pictures or a chat template",
            hint="the folder needs preprocessor_config.json, tokenizer.json and chat_template.jinja",
        )
    unknown = given.keys() - processor.image_processor.valid_kwargs.__annotations__.keys()
    if unknown:
        raise EngineIncapable(
            f"pictures for a {config.model_type} model are not scaled by number of pixels",
            hint=f"leave {' and '.join(sorted(unknown))} unset, and set long_edge",
        )
    return processor


def _without_video(kind: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """The processor less its video part, which needs torchvision even when no video is ever seen."""

    def get_attributes(cls: type[ProcessorMixin]) -> list[str]:
        return [name for name in kind.get_attributes() if name != "video_processor"]

    return type(kind.__name__, (kind,), {"get_attributes": classmethod(get_attributes)})
