"""Small pictures, and a tagger whose replies a test writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from onelook.engines.scripted import Script, Scripted, ScriptedEngine
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.graph.replies import BUILDING


def paint(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    """Pictures of different bytes: 000.jpg, 001.jpg, …"""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.jpg" for number in range(first, first + count)]
    for number, path in enumerate(paths, first):
        Image.new("RGB", (280, 224), "teal").save(path, comment=str(number))
    return paths


def scripted(script: Script | Sequence[Scripted] | None = None, **settings: object) -> tuple[Tagger, ScriptedEngine]:
    """By default every picture is a building."""
    engine = ScriptedEngine(script if script is not None else lambda _: BUILDING)
    return Tagger(load_settings(**settings), engine=engine), engine
