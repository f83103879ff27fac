"""How a result looks in a notebook: its pictures, its tags, its waterfall, and nothing that runs or loads."""

from __future__ import annotations

import base64
import io
import pickle
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from PIL import Image

import onelook
from onelook.types import ErrorRecord, Tag
from tests.library.conftest import DRAWING, MakeScripted
from tests.library.test_result import result
from tests.patience import HANG_S

EVIL = '<script>alert("1")</script>\'"&'
DATA_URL = re.compile(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)")


class Elements(HTMLParser):
    """Every element with its attributes; elements must be closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = object()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)


def pictures(found: onelook.TagResult) -> list[Image.Image]:
    urls = DATA_URL.findall(found._repr_html_())
    return [Image.open(io.BytesIO(base64.b64decode(url))) for url in urls]


def test_it_shows_the_picture_the_tags_and_where_the_time_went(drawn: onelook.TagResult) -> None:
    html = drawn._repr_html_()
    elements = Elements(html)
    words = " ".join(elements.words)
    assert drawn.category is not None
    for expected in (str(DRAWING), drawn.category.label, "species", "✓ ok", "prepare", "first token", "wall", "100%"):
        assert expected in words
    (picture,) = pictures(drawn)
    assert max(picture.size) <= 256
    bars = [attributes for _, attributes in elements.found if "position:absolute" in (attributes.get("style") or "")]
    assert len(bars) > 8


def test_nothing_in_it_runs_or_is_loaded_from_elsewhere(drawn: onelook.TagResult) -> None:
    elements = Elements(drawn._repr_html_())
    assert {tag for tag, _ in elements.found} <= {
        *("div", "b", "span", "table", "tr", "td", "small", "img", "br"),
    }
    for _, attributes in elements.found:
        assert set(attributes) <= {"style", "src", "alt"}
        assert (attributes.get("src") or "data:image/jpeg;").startswith("data:image/")
        assert "url(" not in (attributes.get("style") or "")


def test_whatever_is_written_in_it_is_escaped() -> None:
    evil = result(
        source=EVIL,
        model=EVIL,
        category=Tag(id=EVIL, label=f"{EVIL} label", confidence=0.5),
        details={EVIL: (Tag(id=EVIL, label=EVIL),), "none": ()},
        errors=(ErrorRecord(kind=EVIL, node=EVIL, message=EVIL, hint=EVIL),),
    )
    elements = Elements(evil._repr_html_())
    assert "script" not in {tag for tag, _ in elements.found}
    assert "".join(elements.words).count(EVIL) == 9


def test_a_picture_that_is_gone_or_broken_is_left_out(scripted: MakeScripted, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    shutil.copy(DRAWING, path)
    found = scripted().tag_sync(path)
    assert len(pictures(found)) == 1
    path.write_bytes(b"no picture any more")
    assert not pictures(found)
    path.unlink()
    assert not pictures(found)
    assert Elements(found._repr_html_()).found


def test_a_file_is_found_from_another_working_folder(
    scripted: MakeScripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(DRAWING, tmp_path / "a.jpg")
    monkeypatch.chdir(tmp_path)
    found = scripted().tag_sync("a.jpg")
    monkeypatch.chdir("/")
    assert len(pictures(found)) == 1
    assert found.source == "a.jpg"


IN_MEMORY: dict[str, Any] = {
    "bytes": lambda: DRAWING.read_bytes(),
    "array": lambda: np.asarray(Image.open(DRAWING).convert("RGB")),
    "PIL image": lambda: Image.open(io.BytesIO(DRAWING.read_bytes())),
    "file object": lambda: io.BytesIO(DRAWING.read_bytes()),
    "data URL": lambda: "data:;base64," + base64.b64encode(DRAWING.read_bytes()).decode(),
}


@pytest.mark.parametrize("way", IN_MEMORY)
def test_a_picture_in_memory_is_kept_small_and_only_under_ipython(
    way: str, scripted: MakeScripted, request: pytest.FixtureRequest
) -> None:
    tagger = scripted()
    assert not InteractiveShell.initialized()
    assert not pictures(tagger.tag_sync(IN_MEMORY[way]()))
    request.getfixturevalue("ipython")
    (picture,) = pictures(tagger.tag_sync([IN_MEMORY[way]()]))
    assert max(picture.size) <= 256


def test_several_pictures_are_all_shown(scripted: MakeScripted) -> None:
    assert len(pictures(scripted().tag_sync([DRAWING, str(DRAWING)]))) == 2


@pytest.mark.usefixtures("ipython")
def test_what_stores_a_result_stores_no_picture(scripted: MakeScripted) -> None:
    array = np.full((300, 300, 3), 77, np.uint8)
    found = scripted().tag_sync(array)
    assert len(pictures(found)) == 1
    for stored in (found.model_dump_json(), repr(found), repr(found.model_dump()), repr(found.__dict__)):
        assert "base64" not in stored
    assert not pictures(pickle.loads(pickle.dumps(found)))  # noqa: S301
    assert found == pickle.loads(pickle.dumps(found))  # noqa: S301


@pytest.mark.usefixtures("ipython")
def test_what_cannot_be_shown_is_never_raised(scripted: MakeScripted) -> None:
    unfit: list[Any] = [None, b"", [], "no/such.jpg", "http://127.0.0.1:9/a.jpg"]
    for nothing in unfit:
        found = scripted(allow_urls=False).tag_sync(nothing)
        assert found.status == "failed"
        assert not pictures(found)


CELL = f"""
import numpy as np
from PIL import Image
import onelook

onelook.tag(np.asarray(Image.open({str(DRAWING)!r}).convert("RGB")))
"""


def test_a_notebook_displays_it_while_its_own_loop_runs(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=HANG_S, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (displayed,) = [output.data for output in notebook.cells[0].outputs if output.output_type == "execute_result"]
    assert displayed["text/plain"].startswith("TagResult(ok, animal")
    assert DATA_URL.search(displayed["text/html"])
