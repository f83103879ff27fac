"""Pixtral's vision tower for a batch of pictures of one size, and the transfer of the demo model's weights into it.

Transformers packs all pictures of a batch into one row with a mask between them, at a cost of the square of their
number. With one size they are a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate
from transformers import LlavaForConditionalGeneration
from transformers.models.pixtral.modeling_pixtral import apply_rotary_pos_emb
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel

from tools.demo_model.train.tower import DEVIATION, MEAN


def encode_patches(
    model: LlavaForConditionalGeneration, images: list[Image.Image], *, attention: torch.dtype = torch.bfloat16
) -> Tensor:
    """Pictures of one size, a multiple of the patch, as (pictures, patches, width of the text model), row by row."""
    tower: Any = model.model.vision_tower
    grid = tower.patch_conv(_pixels(images))
    hidden = tower.ln_pre(grid.flatten(2).transpose(1, 2))
    positions = torch.cartesian_prod(*(torch.arange(patches) for patches in grid.shape[2:]))
    tables = tower.patch_positional_embedding(hidden, positions)
    for layer in tower.transformer.layers:
        hidden = hidden + _attend(layer.attention, layer.attention_norm(hidden), tables, attention)
        hidden = hidden + layer.feed_forward(layer.ffn_norm(hidden))
    projected: Tensor = model.model.multi_modal_projector(hidden)
    return projected


def _pixels(images: list[Image.Image]) -> Tensor:
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    return ((pixels.float() - MEAN) / DEVIATION).permute(0, 3, 1, 2)


def _attend(attention: Any, hidden: Tensor, tables: tuple[Tensor, Tensor], dtype: torch.dtype) -> Tensor:
    query, key, value = (
        projection(hidden).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    query, key = apply_rotary_pos_emb(query, key, *tables, unsqueeze_dim=0)
    query, key, value = ((query * attention.scaling).to(dtype), key.to(dtype), value.to(dtype))
    attended = ((query @ key.mT).softmax(-1) @ value).transpose(1, 2).flatten(2)
    projected: Tensor = attention.o_proj(attended.to(hidden.dtype))
    return projected


@torch.no_grad()
def transfer_tower(
    model: LlavaForConditionalGeneration, donor: Qwen2_5_VisionTransformerPretrainedModel, sample: list[Image.Image]
) -> None:
    """Start from the `donor`, the demo model's tower of the same width and depth.

    Its filters of 14 pixels are enlarged, so that a patch shows the same content in more pixels. Biases are dropped,
    because Pixtral has none. Its first norm, which the donor lacks, gets the mean magnitude on `sample`, pictures of
    one size. A few dozen steps of training repair the difference.
    """
    target: Any = model.model.vision_tower
    source: Any = donor
    filters = source.patch_embed.proj.weight.sum(dim=2)  # both frames of a still picture
    size = target.config.patch_size
    scale = (filters.shape[-1] / size) ** 2  # the sum is over so many more pixels
    target.patch_conv.weight.copy_(interpolate(filters, (size, size), mode="bicubic", align_corners=False) * scale)
    target.ln_pre.weight.fill_(target.patch_conv(_pixels(sample)).square().mean().sqrt())
    for new, block in zip(target.transformer.layers, source.blocks, strict=True):
        query, key, value = block.attn.qkv.weight.chunk(3)
        for layer, weight in (
            (new.attention.q_proj, query),
            (new.attention.k_proj, key),
            (new.attention.v_proj, value),
            (new.attention.o_proj, block.attn.proj.weight),
            (new.attention_norm, block.norm1.weight),
            (new.ffn_norm, block.norm2.weight),
            (new.feed_forward.gate_proj, block.mlp.gate_proj.weight),
            (new.feed_forward.up_proj, block.mlp.up_proj.weight),
            (new.feed_forward.down_proj, block.mlp.down_proj.weight),
        ):
            layer.weight.copy_(weight)
