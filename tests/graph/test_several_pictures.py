"""Several pictures of one subject in one request: looked at together, one result for all."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from onelook.engines.base import AskRequest
from onelook.tagger import Tagger
from onelook.types import Reference
from tests.graph.replies import PORTRAIT, MakeTagger, scripted, sure


def pictures(count: int) -> list[Reference]:
    drawn: list[Reference] = []
    for shade in range(count):
        held = io.BytesIO()
        Image.new("RGB", (280, 224), (50 * shade, 90, 90)).save(held, "JPEG")
        drawn.append(held.getvalue())
    return drawn


def asked(tagger: Tagger) -> list[AskRequest]:
    return scripted(tagger).asked


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_they_come_in_order_before_the_question(count: int, make_tagger: MakeTagger) -> None:
    tagger = make_tagger([sure(PORTRAIT)])
    result = await tagger.tag(pictures(count))
    assert (result.status, len(asked(tagger))) == ("ok", 1)
    parts = [part for part in asked(tagger)[0].messages[-1].content if isinstance(part, dict)]
    assert [part["type"] for part in parts] == ["image_url"] * count + ["text"]
    urls = [part["image_url"]["url"] for part in parts[:-1]]
    assert len(set(urls)) == count
    alone = make_tagger([sure(PORTRAIT)])
    await alone.tag(pictures(count)[-1])
    assert asked(alone)[0].messages[-1].content[0] == parts[-2]


async def test_the_ledger_has_each_of_them(make_tagger: MakeTagger) -> None:
    result = await make_tagger([sure(PORTRAIT)]).tag(pictures(3))
    prepare = result.ledger.nodes[0]
    assert [span.name for span in prepare.spans].count("transform") == 3
    assert sum(result.ledger.parts().values()) == pytest.approx(result.ledger.wall_ms, abs=0.001)


@pytest.mark.parametrize("count", [0, 6])
async def test_none_or_too_many_are_refused_without_a_call(count: int, make_tagger: MakeTagger) -> None:
    tagger = make_tagger([])
    result = await tagger.tag(pictures(count))
    assert (result.status, [error.kind for error in result.errors]) == ("failed", ["ImageRefused"])
    assert f"{count} pictures" in result.errors[0].message
    assert asked(tagger) == []


async def test_one_that_cannot_be_read_fails_the_set_and_is_named(make_tagger: MakeTagger) -> None:
    result = await make_tagger([]).tag([*pictures(2), "no/such/picture.jpg"])
    assert (result.status, [error.kind for error in result.errors]) == ("failed", ["ImageNotFound"])
    assert "no/such/picture.jpg" in result.errors[0].message


async def test_another_order_is_another_question_to_the_cache(make_tagger: MakeTagger) -> None:
    tagger = make_tagger(lambda _: sure(PORTRAIT), cache="memory")
    for subject in (pictures(2), pictures(2), pictures(2)[::-1], pictures(1)):
        await tagger.tag(subject)
    assert len(asked(tagger)) == 3
