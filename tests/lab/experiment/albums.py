"""Small labelled albums, and engines that know which picture they are asked about."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from onelook.engines.base import AskRequest
from onelook.engines.scripted import Scripted, ScriptedEngine
from onelook.lab.experiment.arms import ExperimentArm
from onelook.types import Context
from tests.graph.replies import BUILDING, sure

STEP = 6
PLANT = '{"primary_category":"植物","details":{}}'


def draw_album(folder: Path, count: int, below: Sequence[str] = ("",), **column: Sequence[str]) -> Path:
    """`count` pictures of buildings, each of its own grey, in the folders `below` by turns. `column`: more labels."""
    lines = []
    for number in range(count):
        name = Path(below[number % len(below)]) / f"{number:02}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (224, 224), (STEP * number,) * 3).save(folder / name)
        more = {key: values[number % len(values)] for key, values in column.items()}
        lines.append(json.dumps({"file": str(name), "category": "building", **more}))
    (folder / "labels.jsonl").write_text("\n".join(lines))
    return folder


def asked_about(request: AskRequest) -> int:
    """The number of the picture in a question."""
    content: Any = request.messages[-1].content
    url = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
    with Image.open(io.BytesIO(b64decode(url.partition(",")[2]))) as image:
        return round(image.convert("L").resize((1, 1)).getpixel((0, 0)) / STEP)  # type: ignore[operator]


def engine(wrong: Sequence[int] = (), reply: Callable[[int], Scripted] | None = None) -> ScriptedEngine:
    """Says that every picture is a building; of those in `wrong`, that it is a plant. `reply`: what it says instead."""

    def script(request: AskRequest) -> Scripted:
        number = asked_about(request)
        return reply(number) if reply is not None else sure(PLANT if number in wrong else BUILDING)

    return ScriptedEngine(script)


def arm(wrong: Sequence[int] = (), **choices: Any) -> ExperimentArm:
    return ExperimentArm(Context(**choices), engine=engine(wrong))
