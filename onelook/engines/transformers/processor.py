"""The processor of a checkpoint: from a conversation with pictures to a model's inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from onelook.engines.transformers.pixtral import pixtral_processor
from onelook.errors import EngineIncapable
from onelook.settings.hints import set_to

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

    kind: Any = PROCESSOR_MAPPING.get(type(config), None)
    vision = getattr(config, "vision_config", None)
    if getattr(vision, "model_type", None) == "pixtral":
        kind = pixtral_processor()
    elif kind is not None and "video_processor" in kind.get_attributes() and not is_torchvision_available():
        kind = _without_video(kind)
    else:
        kind = AutoProcessor
    processor = kind.from_pretrained(folder, local_files_only=True)
    if not isinstance(processor, ProcessorMixin):
        raise EngineIncapable(f"{folder} has no processor for pictures (preprocessor_config.json)")
    if processor.chat_template is None:
        raise EngineIncapable(
            f"{folder} has no chat_template.jinja",
            hint=f"take a checkpoint that was trained to chat: {set_to(ONELOOK_MODEL='Qwen/Qwen2.5-VL-3B-Instruct')}",
        )
    _limit_pixels(processor, config, {"shortest_edge": min_pixels, "longest_edge": max_pixels})
    return processor


def _limit_pixels(processor: Any, config: PreTrainedConfig, limits: dict[str, int | None]) -> None:
    """A processor that takes numbers of pixels keeps them as its shortest and longest edge, whatever their names. A
    limit that is given wins over the checkpoint's own other limit."""
    from transformers.image_utils import SizeDict

    given = {edge: pixels for edge, pixels in limits.items() if pixels is not None}
    if not given:
        return
    if "max_pixels" not in processor.image_processor.valid_kwargs.__annotations__:
        raise EngineIncapable(
            f"pictures for a {config.model_type} model are not scaled by number of pixels",
            hint="unset ONELOOK_MIN_PIXELS and ONELOOK_MAX_PIXELS; what limits every picture is"
            f" {set_to(ONELOOK_RUN__LONG_EDGE=512)}",
        )
    size = {**dict(processor.image_processor.size), **given}
    least, most = size.get("shortest_edge"), size.get("longest_edge")
    if least is not None and most is not None and least > most:
        size |= {"shortest_edge": most} if "longest_edge" in given else {"longest_edge": least}
    processor.image_processor.size = SizeDict(**size)


def _without_video(kind: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """The processor less its video part, which needs torchvision even when no video is ever seen."""

    def get_attributes(cls: type[ProcessorMixin]) -> list[str]:
        return [name for name in kind.get_attributes() if name != "video_processor"]

    return type(kind.__name__, (kind,), {"get_attributes": classmethod(get_attributes)})
