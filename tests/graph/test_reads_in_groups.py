"""The arm `reads` with more options than letters: which group of options, and which option of each group."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from onelook.engines.base import AskRequest, Choice, Reply, Token
from onelook.engines.scripted import Scripted, ScriptedEngine
from onelook.ledger.model import ServerTiming
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Usage
from tests.graph.replies import question

COLOURS = 40


@dataclass
class Looker(ScriptedEngine):
    """Believes in each label as much as `beliefs` says (a weight; 0.01 in any other), and likes the letter A by
    `liking` (natural logarithm)."""

    script: Sequence[Scripted] = ()
    beliefs: Mapping[str, float] = field(default_factory=dict)
    liking: float = 0.0
    tells_probabilities: bool = True
    rounds: list[int] = field(default_factory=list)

    async def ask(self, request: AskRequest) -> Reply:
        self.asked.append(request)
        assert isinstance(request.constraint, Choice)
        assert request.max_tokens == 1
        options = re.findall(r" ([A-Z]) ((?:(?! [A-Z] ).)+)", question(request).partition("?")[2])
        assert tuple(letter for letter, _ in options) == request.constraint.options
        weights = {
            letter: sum(self.beliefs.get(label, 0.01) for label in labels.split("/"))
            * math.exp(self.liking * (letter == "A"))
            for letter, labels in options
        }
        whole = sum(weights.values())
        logprobs = {letter.encode(): math.log(weight / whole) for letter, weight in weights.items()}
        said = max(logprobs, key=lambda each: logprobs[each])
        token = Token(said, logprobs[said], logprobs if request.top_logprobs else {})
        return Reply(said.decode(), "length", (token,) if self.tells_probabilities else (), Usage(), ServerTiming())

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        self.rounds.append(len(requests))
        return [await self.ask(request) for request in requests]


def labels(count: int, word: str) -> dict[str, str]:
    return {f"{word}_{number}": f"{word} {number:03}" for number in range(count)}


@pytest.fixture
def taxonomy(tmp_path: Path) -> Path:
    """40 categories; the first has an attribute with 24 options and one with 40."""
    categories: dict[str, dict[str, object]] = {
        id_: {"label": {"en": label}, "when": {"en": f"a {label}"}} for id_, label in labels(40, "thing").items()
    }

    def attribute(count: int, word: str) -> dict[str, object]:
        return {
            "label": {"en": word},
            "choose": "one",
            "options": {id_: {"en": label} for id_, label in labels(count, word).items()},
        }

    categories["thing_0"]["details"] = {"shade": attribute(24, "shade"), "colour": attribute(COLOURS, "colour")}
    file = tmp_path / "wide.yaml"
    file.write_text(yaml.safe_dump({"name": "wide", "categories": categories}, sort_keys=False))
    return file


async def tag(engine: Looker, taxonomy: Path, picture: bytes, *, debias: bool = False) -> TagResult:
    async with Tagger(load_settings(taxonomy=taxonomy), engine) as tagger:
        return await tagger.tag(picture, Context(arm="reads", debias=debias))


async def test_forty_categories_are_three_questions_of_one_letter(taxonomy: Path, picture: bytes) -> None:
    engine = Looker(beliefs={"thing 027": 1.0})
    result = await tag(engine, taxonomy, picture)
    assert result.errors == ()
    assert result.category is not None
    assert (result.category.id, result.category.label) == ("thing_27", "thing 027")
    assert result.category.confidence == pytest.approx(1.0 / 1.39)  # all 40 weights together
    first, *others = [question(request).partition("?")[2] for request in engine.asked]
    assert first.startswith(" A thing 000/thing 001/")
    assert " B thing 020/thing 021/" in first
    assert [text.split(" B ")[0] for text in others] == [" A thing 000", " A thing 020"]
    assert len({request.messages[0].content for request in engine.asked}) == 1, "one cached prefix"


async def test_the_picture_is_in_the_cache_before_all_groups_are_asked_about(taxonomy: Path, picture: bytes) -> None:
    engine = Looker(beliefs={"thing 000": 1.0, "shade 003": 1.0, "colour 021": 1.0})
    result = await tag(engine, taxonomy, picture)
    assert {id_: [each.id for each in tags] for id_, tags in result.details.items()} == {
        "shade": ["shade_3"],
        "colour": ["colour_21"],
    }
    assert engine.rounds == [1, 2, 1 + 3]  # which group; both groups; 24 options in one question, 40 in three


async def test_the_likeliest_option_wins_not_the_first_of_the_likeliest_group(taxonomy: Path, picture: bytes) -> None:
    spread = {f"thing {number:03}": 0.1 for number in range(20)}
    result = await tag(Looker(beliefs={**spread, "thing 031": 0.9}), taxonomy, picture)
    assert result.category is not None
    assert result.category.id == "thing_31"
    assert result.category.confidence == pytest.approx(0.9 / (20 * 0.1 + 0.9 + 19 * 0.01))


async def test_without_probabilities_the_letters_are_followed(taxonomy: Path, picture: bytes) -> None:
    result = await tag(Looker(beliefs={"thing 033": 1.0}, tells_probabilities=False), taxonomy, picture)
    assert result.category is not None
    assert (result.category.id, result.category.confidence) == ("thing_33", None)
    assert result.status == "needs_review"


@pytest.mark.parametrize("debias", [False, True])
async def test_a_liking_for_a_letter_is_averaged_out_beyond_twenty_options(
    taxonomy: Path, picture: bytes, debias: bool
) -> None:
    """24 options are one question of 24 letters, and with debias, which needs the probability of each, two groups."""
    beliefs = {"thing 000": 5.0, "shade 017": 1.0, "colour 035": 1.0}
    engine = Looker(beliefs=beliefs, liking=3.5)
    result = await tag(engine, taxonomy, picture, debias=debias)
    assert result.category is not None
    assert result.category.id == "thing_0"
    right = {id_: [each.id for each in tags] for id_, tags in result.details.items()} == {
        "shade": ["shade_17"],
        "colour": ["colour_35"],
    }
    assert right == debias
    texts = [question(request) for request in engine.asked]
    assert not debias or all(len(request.constraint.options) <= request.top_logprobs == 20 for request in engine.asked)  # type: ignore[union-attr]
    assert len(texts) == len(set(texts)) == (2 * (3 + 3 + 3) if debias else 3 + 1 + 3)
