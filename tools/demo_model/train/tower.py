"""The vision tower for a batch of pictures of one size, in one piece instead of picture by picture.

Transformers supports mixed sizes, with one attention call per window and picture, and a 3-D convolution over two equal
frames. With one size the windows of a whole batch align. Weights and results are the same (a test compares them); on a
CPU it takes less than half the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import linear
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import (
    Qwen2_5_VisionTransformerPretrainedModel,
    apply_rotary_pos_emb_vision,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.vision_utils import get_vision_position_ids, get_vision_window_index

PATCH = 14
MERGE = 2
SIDE = PATCH * MERGE  # of the square that becomes one token, in pixels

PROCESSOR = Qwen2VLImageProcessorPil()
MEAN = torch.tensor(PROCESSOR.image_mean) * 255
DEVIATION = torch.tensor(PROCESSOR.image_std) * 255


def patches(images: list[Image.Image]) -> Tensor:
    """Pictures of one size, multiples of 28, as (pictures, patches, 588): normalised, in the order of the processor.

    The processor repeats every picture as the second frame of a video; here there is one frame.
    """
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    pixels = (pixels.float() - MEAN) / DEVIATION
    count, height, width, _ = pixels.shape
    rows, columns = height // SIDE, width // SIDE
    split = pixels.reshape(count, rows, MERGE, PATCH, columns, MERGE, PATCH, 3)
    return split.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(count, rows * columns * MERGE**2, 3 * PATCH**2)


def encode(
    tower: Qwen2_5_VisionTransformerPretrainedModel,
    images: list[Image.Image],
    *,
    attention: torch.dtype = torch.bfloat16,
) -> Tensor:
    """Pictures of one size as (pictures, tokens, width of the text model). `attention`: its number format."""
    visual: Any = tower  # its modules are typed as tensors or modules
    rows, columns = images[0].height // PATCH, images[0].width // PATCH
    grid = torch.tensor([[1, rows, columns]])
    order, ends = get_vision_window_index(
        grid, spatial_merge_size=MERGE, window_size=visual.window_size, patch_size=PATCH, kwargs={}
    )
    windows = [length for length in torch.diff(torch.as_tensor(ends)).tolist() if length]
    positions = get_vision_position_ids(grid, MERGE, kwargs={})

    weight = visual.patch_embed.proj.weight.sum(dim=2).flatten(1)  # both frames are the same picture
    hidden = linear(patches(images), weight)
    cosine, sine = (
        _by_token(table)[order].flatten(0, 1) for table in visual.rotary_pos_emb(hidden, positions.to(hidden.device))
    )
    hidden = hidden.unflatten(1, (-1, MERGE**2))[:, order].flatten(1, 2)
    for number, block in enumerate(visual.blocks):
        whole = number in visual.fullatt_block_indexes
        lengths = [hidden.shape[1]] if whole else windows
        hidden = hidden + _attend(block.attn, block.norm1(hidden), cosine, sine, lengths, attention)
        hidden = hidden + block.mlp(block.norm2(hidden))
    merged: Tensor = visual.merger.mlp(visual.merger.ln_q(hidden).unflatten(1, (-1, MERGE**2)).flatten(2))
    in_order: Tensor = merged[:, torch.argsort(order)]
    return in_order


def _by_token(table: Tensor) -> Tensor:
    return table.reshape(-1, MERGE**2, table.shape[-1])


def _attend(
    attention: Any, hidden: Tensor, cosine: Tensor, sine: Tensor, lengths: list[int], dtype: torch.dtype
) -> Tensor:
    """Attention within groups of `lengths` patches; hidden is (pictures, patches, width)."""
    states = attention.qkv(hidden).unflatten(-1, (3, attention.num_heads, -1))
    query, key, value = states.unbind(2)
    query, key = apply_rotary_pos_emb_vision(query, key, cosine, sine)
    parts = [states.to(dtype).transpose(1, 2).split(lengths, 2) for states in (query * attention.scaling, key, value)]
    # Without PyTorch's fused kernel: on a CPU it takes up to twelve times as long on windows of 64 patches.
    attended = [(query @ key.mT).softmax(-1) @ value for query, key, value in zip(*parts, strict=True)]
    projected: Tensor = attention.proj(torch.cat(attended, dim=2).transpose(1, 2).flatten(2).to(hidden.dtype))
    return projected
