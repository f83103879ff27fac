"""Outputs of the vision encoder for recent pictures, so that a picture is encoded once.

The prefix cache saves the encoder's work only where a question begins as an earlier one did. This one does so for any
question about the picture: with other prompts before it, in another language, or after its states were dropped. It also
takes far less memory: one vector a token, not two for each layer.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from types import MethodType
from typing import Any

import torch

from onelook.engines.cache_scope import picture_scope


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the encoder gives for one picture: `pooled` [tokens, hidden size]; `layers`, of the same shape, where an
    architecture (Qwen3-VL) also feeds outputs of earlier layers into the language model."""

    pooled: torch.Tensor
    layers: tuple[torch.Tensor, ...]

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in (self.pooled, *self.layers))


class VisionCache:
    """Least recently used encodings, together at most `max_bytes`. Not safe for more than one thread.

    A picture is named by the digest of its prepared pixels. `scope`: whose pictures are looked up and stored from now
    on (`onelook.engines.cache_scope`).
    """

    def __init__(self, model: Any, max_bytes: int) -> None:
        """From now on `model`, of a Qwen-VL architecture, takes the features of its pictures from here."""
        self.max_bytes = max_bytes
        self.nbytes = 0
        self.scope: str | None = None
        self._encoded: list[bool] = []
        self._kept: OrderedDict[bytes, Encoding] = OrderedDict()
        self._output: type[Any] = dict
        inner = model.model
        self._encode = MethodType(type(inner).get_image_features, inner)
        inner.get_image_features = self._features

    def take(self) -> list[bool]:
        """Of each picture since this was last called, in their order: whether it was encoded, and not found here."""
        encoded, self._encoded = self._encoded, []
        return encoded

    def clear(self) -> None:
        self._kept.clear()
        self._encoded.clear()
        self.nbytes = 0

    def _features(self, pixel_values: torch.Tensor, image_grid_thw: torch.Tensor, **options: Any) -> Any:
        """In place of the model's `get_image_features`.

        `pixel_values` [patches of all pictures, values of one]; `image_grid_thw` [pictures, 3], in patches.
        """
        pixels = pixel_values.split(image_grid_thw.prod(-1).tolist())
        names = [self._name(each, grid) for each, grid in zip(pixels, image_grid_thw.tolist(), strict=True)]
        found = {name: self._kept[name] for name in names if name in self._kept}
        missing = {name: index for index, name in enumerate(names) if name not in found}
        if missing:
            indexes = list(missing.values())
            output = self._encode(
                torch.cat([pixels[index] for index in indexes]),
                image_grid_thw[indexes],
                **{**options, "return_dict": True},
            )
            self._output = type(output)
            found |= dict(zip(missing, _encodings(output), strict=True))
        self._encoded += [missing.get(name) == index for index, name in enumerate(names)]
        for name in names:
            self._keep(name, found[name])
        ordered = [found[name] for name in names]
        fields: dict[str, Any] = {"pooler_output": tuple(each.pooled for each in ordered)}
        if ordered[0].layers:
            fields["deepstack_features"] = [*zip(*(each.layers for each in ordered), strict=True)]
        return self._output(**fields)

    def _name(self, pixels: torch.Tensor, grid: list[int]) -> bytes:
        where = f"{self.scope or ''} {picture_scope.get()} {grid} ".encode()
        data = pixels.contiguous().cpu().view(torch.uint8).numpy().data  # NumPy has no bfloat16
        return hashlib.sha256(where + hashlib.sha256(data).digest()).digest()

    def _keep(self, name: bytes, encoding: Encoding) -> None:
        known = self._kept.pop(name, None)
        if encoding.nbytes > self.max_bytes:
            return
        self._kept[name] = encoding
        self.nbytes += 0 if known else encoding.nbytes
        while self.nbytes > self.max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.nbytes -= oldest.nbytes


def _encodings(output: Any) -> list[Encoding]:
    """Those of single pictures. They are copies: a part of a tensor keeps the whole of it in memory."""
    pooled, layers = output.pooler_output, getattr(output, "deepstack_features", None) or ()
    alone = len(pooled) == 1
    return [
        Encoding(
            pooled[index] if alone else pooled[index].clone(),
            tuple(layer[index] if alone else layer[index].clone() for layer in layers),
        )
        for index in range(len(pooled))
    ]
