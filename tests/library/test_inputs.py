"""Whatever is given to `tag`, a result comes back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import onelook
from onelook import errors
from onelook.engines.scripted import ScriptedEngine
from tests.graph.replies import PORTRAIT, sure
from tests.library.conftest import DRAWING, MakeScripted

OPENERS: dict[str, Callable[[], Any]] = {
    "path": lambda: DRAWING,
    "text": lambda: str(DRAWING),
    "bytes": lambda: DRAWING.read_bytes(),
    "bytearray": lambda: bytearray(DRAWING.read_bytes()),
    "memoryview": lambda: memoryview(DRAWING.read_bytes()),
    "file object": lambda: io.BytesIO(DRAWING.read_bytes()),
    "PIL image": lambda: Image.open(io.BytesIO(DRAWING.read_bytes())),
    "array": lambda: np.asarray(Image.open(DRAWING).convert("RGB")),
    "list": lambda: [DRAWING],
    "tuple": lambda: (DRAWING,),
}


@pytest.mark.parametrize("way", OPENERS)
def test_the_demo_model_sees_the_same_in_every_way(way: str, demo: onelook.Tagger, drawn: onelook.TagResult) -> None:
    result = demo.tag_sync(OPENERS[way]())
    assert result.status == "ok"
    assert result.category is not None
    assert drawn.category is not None
    assert result.category.id == drawn.category.id == "animal"
    assert result.details.keys() == drawn.details.keys()


@pytest.mark.parametrize("way", OPENERS)
async def test_the_graph_itself_takes_what_a_tagger_takes(way: str, scripted: MakeScripted) -> None:
    """As someone does who calls `graph.ainvoke` or has the graph as a part of another one."""
    tagger = scripted()
    output = await tagger.graph.ainvoke({"image": OPENERS[way]()})
    assert output["result"].status == "ok"
    assert output["result"].category.id == "portrait"


@pytest.mark.parametrize("array", [np.zeros((2, 3)), np.zeros((1, 60, 80, 3), np.uint8), np.zeros((0,), np.uint8)])
async def test_the_graph_itself_refuses_an_array_that_is_no_picture(array: Any, scripted: MakeScripted) -> None:
    output = await scripted().graph.ainvoke({"image": array})
    assert [error.kind for error in output["result"].errors] == ["ImageUnreadable"]
    assert "height x width x 3" in output["result"].errors[0].message


NAMES: dict[str, tuple[Callable[[], Any], str]] = {
    "path": (lambda: DRAWING, str(DRAWING)),
    "bytes": (lambda: DRAWING.read_bytes(), "the given bytes"),
    "URL": (lambda: "https://user:secret@127.0.0.1/cat.jpg?signature=secret", "https://127.0.0.1/cat.jpg"),
    "data URL": (lambda: "data:image/png;base64,aaaa", "data URL"),
    "array": (lambda: np.zeros((480, 640, 3), np.uint8), "image array 480×640×3"),
    "several": (lambda: [DRAWING, np.zeros((48, 64), np.uint8)], f"{DRAWING} + image array 48×64"),
    "None": (lambda: None, "None"),
}


@pytest.mark.parametrize("way", NAMES)
async def test_a_result_has_the_name_of_its_picture(way: str, scripted: MakeScripted) -> None:
    make, name = NAMES[way]
    tagger = scripted(allow_urls=False)
    assert (await tagger.tag(make())).source == name
    assert (await tagger.tag(make(), name="upload 7")).source == "upload 7"


@pytest.mark.parametrize(
    "nothing", [None, 7, 0.5, True, object(), {}, set(), [], (), ["a.jpg"] * 6, [None], [[DRAWING]]]
)
async def test_what_is_no_picture_is_an_image_error_in_the_result(nothing: Any, scripted: MakeScripted) -> None:
    result = await scripted().tag(nothing)
    assert result.status == "failed"
    (error,) = result.errors
    assert issubclass(getattr(errors, error.kind), onelook.ImageError)
    assert error.hint


async def test_a_wrong_array_says_what_came_and_what_is_expected(scripted: MakeScripted) -> None:
    (error,) = (await scripted().tag(np.zeros((48, 64, 4), np.float64))).errors
    assert "image array 48×64×4 of float64" in error.message
    assert "expected height x width x 3" in error.message
    assert "uint8" in error.message


async def test_many_pictures_of_many_kinds_each_come_out_once(scripted: MakeScripted) -> None:
    given = [make() for make in OPENERS.values()]
    found = {index: result.status async for index, result in scripted().tag_many(iter([*given, None]))}
    assert found == {**dict.fromkeys(range(len(given)), "ok"), len(given): "failed"}


async def test_one_path_given_as_many_pictures_is_a_mistake_in_the_program(scripted: MakeScripted) -> None:
    with pytest.raises(TypeError, match="give a list"):
        scripted().tag_many("cat.jpg")


@pytest.fixture(scope="module")
def anything() -> Iterator[onelook.Tagger]:
    engine = ScriptedEngine(lambda _: sure(PORTRAIT))
    with onelook.Tagger(onelook.load_settings(allow_urls=False), engine) as tagger:
        yield tagger


def arrays() -> st.SearchStrategy[Any]:
    shapes = st.lists(st.integers(0, 5), max_size=4).map(tuple)
    kinds = st.sampled_from([np.uint8, np.uint16, np.float32, bool, np.complex64, object])
    return st.builds(lambda shape, kind: np.zeros(shape, kind), shapes, kinds)


def images() -> st.SearchStrategy[Any]:
    modes = st.sampled_from(
        ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "I;16", "RGBa"]
    )
    sizes = st.tuples(st.integers(0, 300), st.integers(0, 300))
    return st.builds(Image.new, modes, sizes)


ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=20).filter(lambda text: not text.lower().startswith("http")),
    st.binary(max_size=40),
    st.binary(max_size=40).map(bytearray),
    st.binary(max_size=40).map(lambda data: memoryview(data)),
    st.binary(max_size=40).map(io.BytesIO),
    st.text(max_size=9).map(io.StringIO),
    st.text(max_size=9, alphabet="abc./").map(Path),
    st.datetimes(),
    st.sampled_from([DRAWING, str(DRAWING), DRAWING.read_bytes(), int, len, open, onelook, ..., range(3), iter("ab")]),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sets(st.integers(), max_size=3),
    arrays(),
    images(),
)


@settings(max_examples=200)
@given(ANYTHING | st.lists(ANYTHING, max_size=7) | st.lists(ANYTHING, max_size=6).map(tuple))
def test_anything_gives_a_result(anything: onelook.Tagger, thing: Any) -> None:
    result = anything.tag_sync(thing)
    assert result.status == "ok" or result.errors
    for error in result.errors:
        assert issubclass(getattr(errors, error.kind), onelook.ImageError)
    assert "\n" not in repr(result)
    assert result._repr_html_()
    assert onelook.TagResult.model_validate_json(result.model_dump_json()).flat() == result.flat()
