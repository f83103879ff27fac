"""A vision-language checkpoint from a folder or the local Hugging Face cache, ready to answer in this process."""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from onelook.engines.size_grid import DEFAULT_GRID, grid_of_config
from onelook.engines.transformers.processor import load_processor
from onelook.errors import EngineIncapable
from onelook.settings.hints import set_to

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin

PACKAGES = ("torch", "transformers", "accelerate", "xgrammar", "numpy")

# The same weights in formats that PyTorch does not read; they are never fetched.
UNUSED_FILES = ("*.gguf", "*.onnx", "*.h5", "*.msgpack", "*.tflite", "original/*")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "tekken.json")
INCOMPLETE = "copy the whole model folder again, or fetch it with `onelook pull`"

Dtype = Literal["auto", "float32", "float16", "bfloat16"]
Attention = Literal["auto", "sdpa", "flash_attention_2", "eager"]
Quantization = Literal["none", "8bit", "4bit"]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a checkpoint is loaded; for the fields see `onelook.settings.engine`."""

    device: str = "auto"
    dtype: Dtype = "auto"
    attention: Attention = "auto"
    quantization: Quantization = "none"
    min_pixels: int | None = None
    max_pixels: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model and the processor that turns a conversation with pictures into its inputs."""

    model: PreTrainedModel
    processor: ProcessorMixin


def require_packages(*names: str) -> None:
    """Raises EngineIncapable when one of these packages of the `embedded` extra is not installed."""
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise EngineIncapable(
                f"the embedded engine needs the package {error.name}, which is not installed",
                hint="pip install 'onelook[embedded]', or use a server:"
                f" {set_to(ONELOOK_ENGINE='vllm', ONELOOK_BASE_URL='http://127.0.0.1:8000/v1')}",
            ) from None


def load_checkpoint(model: str, options: LoadOptions) -> Checkpoint:
    """Load `model`, a folder or a Hugging Face id that is in the local cache; nothing is downloaded.

    Raises:
        EngineIncapable: a package, a file, a device or the checkpoint itself is missing or not usable.
    """
    require_packages(*PACKAGES)
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForImageTextToText

    folder = find_checkpoint(model)
    device = choose_device(options.device)
    dtype = _choose_dtype(options.dtype, device)
    quantization = _quantization(options.quantization, device, dtype)
    attention = _choose_attention(options.attention, device)
    with no_progress_bars():
        try:
            config = _read_config(folder)
            processor = load_processor(folder, config, min_pixels=options.min_pixels, max_pixels=options.max_pixels)
            outcome: Any = AutoModelForImageTextToText.from_pretrained(
                folder,
                config=config,
                dtype=dtype,
                device_map={"": device},
                attn_implementation=attention,
                quantization_config=quantization,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # reported below, with the missing ones
            )
        except torch.OutOfMemoryError as error:
            raise EngineIncapable(
                f"{model} does not fit into the memory of {device}: {error}",
                hint="set ONELOOK_QUANTIZATION=8bit (or 4bit), or ONELOOK_DEVICE=cpu",
            ) from error
        except ImportError as error:
            raise EngineIncapable(
                f"the model in {folder} needs another package: {error}",
                hint="pip install it, in the build that belongs to this torch (CPU or CUDA)",
            ) from error
        except (OSError, ValueError, SafetensorError) as error:
            raise EngineIncapable(f"cannot load the model in {folder}: {error}", hint=INCOMPLETE) from error
    loaded, report = outcome
    refuse_unfit(folder, report)
    return Checkpoint(loaded.eval(), processor)


def refuse_unfit(folder: Path, report: Mapping[str, Any]) -> None:
    """Raises EngineIncapable if Transformers reports missing weights, in whose place it puts random ones."""
    unfit = sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])})
    if unfit:
        raise EngineIncapable(
            f"{folder} lacks {len(unfit)} of its model's weights, or has them in another shape: {unfit[0]}, …",
            hint=INCOMPLETE,
        )


def check_checkpoint(model: str, options: LoadOptions) -> None:
    """Check what can be checked without reading the weights. Raises `EngineIncapable` as `load_checkpoint` would."""
    require_packages(*PACKAGES)
    folder = find_checkpoint(model)
    device = choose_device(options.device)
    _quantization(options.quantization, device, _choose_dtype(options.dtype, device))
    _choose_attention(options.attention, device)
    try:
        _read_config(folder)
    except (OSError, ValueError) as error:
        raise EngineIncapable(f"cannot load the model in {folder}: {error}", hint=INCOMPLETE) from error


def read_processor(
    model: str, *, min_pixels: int | None, max_pixels: int | None
) -> tuple[PreTrainedConfig, ProcessorMixin]:
    """The configuration and the processor of `model`, without its weights. Raises `EngineIncapable`."""
    folder = find_checkpoint(model)
    with no_progress_bars():
        try:
            config = _read_config(folder)
            return config, load_processor(folder, config, min_pixels=min_pixels, max_pixels=max_pixels)
        except (OSError, ValueError, ImportError) as error:
            raise EngineIncapable(f"cannot load the processor in {folder}: {error}", hint=INCOMPLETE) from error


def free_memory() -> None:
    """Give memory that no model uses any more back to the device and to the operating system."""
    import torch

    gc.collect()  # modules are in reference cycles
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()
    if sys.platform == "linux":
        # glibc keeps what was freed in a thread's own heap for that thread (measured: 97 MB beside a model of 129 MB).
        trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
        trim(0)


def leave_one_core() -> None:
    """Have PyTorch compute on one core less in the calling thread, unless OMP_NUM_THREADS says how many.

    The event loop and the preparation of pictures need that core: PyTorch's threads spin while they wait for each
    other, so if one of them has to share its core, all of them are slow (measured: ten times the time per token).
    """
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() - 1))


def find_checkpoint(model: str) -> Path:
    """The folder of `model`: itself, or where the local Hugging Face cache keeps that id.

    Raises:
        EngineIncapable: there is no such folder, or the id was never fetched.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    try:
        return Path(snapshot_download(model, local_files_only=True, ignore_patterns=list(UNUSED_FILES)))
    except HFValidationError:
        raise EngineIncapable(
            f"there is no model folder {model}",
            hint="name a folder with config.json or a Hugging Face id:"
            f" {set_to(ONELOOK_MODEL='Qwen/Qwen2.5-VL-3B-Instruct')}",
        ) from None
    except LocalEntryNotFoundError:
        raise EngineIncapable(
            f"the model {model} is not on this machine, or not complete: no such folder, nor in the Hugging Face cache",
            hint=f"`onelook pull {model}` fetches it, on a machine that is connected",
        ) from None


def read_size_grid(model: str) -> int:
    """The size grid that the files of `model` give, and the usual one where they cannot be read or do not say."""
    try:
        folder = find_checkpoint(model)
    except (EngineIncapable, ImportError):
        return DEFAULT_GRID
    processor = _read_json(folder / "preprocessor_config.json") or _read_json(folder / "processor_config.json")
    return grid_of_config(_read_json(folder / "config.json"), processor) or DEFAULT_GRID


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def choose_device(name: str) -> torch.device:
    """`auto` is CUDA before Apple's MPS before the CPU. Raises EngineIncapable when PyTorch has no such device."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise EngineIncapable(
            f"PyTorch cannot use the device {name}: {str(error).split('. ')[0]}",
            hint="set ONELOOK_DEVICE=auto or ONELOOK_DEVICE=cpu; for cuda install a CUDA build of PyTorch",
        ) from None
    return device


def _choose_dtype(name: Dtype, device: torch.device) -> torch.dtype:
    import torch

    if name == "auto":
        name = "float32" if device.type == "cpu" else "bfloat16"
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[name]


def _choose_attention(name: Attention, device: torch.device) -> str | None:
    """None leaves the choice to Transformers: sdpa where the architecture has it, else eager."""
    from transformers.utils.import_utils import is_flash_attn_2_available

    available = device.type == "cuda" and is_flash_attn_2_available()
    if name == "flash_attention_2" and not available:
        raise EngineIncapable(
            "flash_attention_2 needs the package flash-attn and a CUDA device that it supports",
            hint="pip install flash-attn, or set ONELOOK_ATTENTION=auto",
        )
    if name == "auto":
        return "flash_attention_2" if available else None
    return name


def _quantization(name: Quantization, device: torch.device, dtype: torch.dtype) -> Any:
    if name == "none":
        return None
    if device.type != "cuda":
        raise EngineIncapable(
            f"{name} quantization needs a CUDA device, not {device}",
            hint="set ONELOOK_QUANTIZATION=none, or ONELOOK_DEVICE=cuda",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise EngineIncapable(
            f"{name} quantization needs the package bitsandbytes", hint="pip install 'onelook[quantization]'"
        )
    from transformers import BitsAndBytesConfig

    if name == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def _read_config(folder: Path) -> PreTrainedConfig:
    from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoConfig

    for one_of in (("config.json",), TOKENIZERS):
        if not any((folder / name).is_file() for name in one_of):
            raise EngineIncapable(f"{folder} has no {' or '.join(one_of)}", hint=INCOMPLETE)
    config: PreTrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True)
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise EngineIncapable(
            f"{folder} holds a {config.model_type} model, which cannot answer questions about pictures",
            hint=f"take a vision-language model: {set_to(ONELOOK_MODEL='Qwen/Qwen2.5-VL-3B-Instruct')}",
        )
    return config


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Inside, Transformers draws no progress bars: it writes them to stderr, where the command draws its own."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
