"""What a result says of its model."""

from __future__ import annotations

import pytest

from onelook.result import model_name


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("/home/somebody/models/vlm", "vlm"),
        ("Qwen/Qwen2.5-VL-3B-Instruct", "Qwen/Qwen2.5-VL-3B-Instruct"),
        ("tiny", "tiny"),
    ],
)
def test_a_folder_is_told_by_its_name_alone(model: str, told: str) -> None:
    assert model_name(model) == told
