"""The drawing of the state machine: the README shows the one that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onelook.graph.arms import ARMS, Arm, way_to
from tests.graph.replies import MakeTagger

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("file", ["README.md", "README.zh.md"])
def test_the_readme_has_the_whole_drawing(file: str, make_tagger: MakeTagger) -> None:
    (drawn,) = re.findall(r"```mermaid\n(.*?)\n```", (ROOT / file).read_text(encoding="utf-8"), re.DOTALL)
    assert drawn == make_tagger([]).mermaid().strip()


@pytest.mark.parametrize("arm", ARMS.values(), ids=lambda arm: arm.name)
def test_the_edge_to_the_entry_of_an_arm_names_all_arms_that_take_it(arm: Arm) -> None:
    assert way_to(arm.entry) == ", ".join(each.name for each in ARMS.values() if each.entry == arm.entry)
