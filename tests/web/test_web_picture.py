"""Every way to choose a picture."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.web.visitor import ANSWER_WITHIN_MS, HELDOUT, Visitor

PICTURE = HELDOUT / "heldout-0002.jpg"


def drop(visitor: Visitor, *files: Path) -> None:
    """Drag files over the page and drop them, with the browser's own events."""
    browser = visitor.page.context.new_cdp_session(visitor.page)
    data = {"items": [], "files": [str(path) for path in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 640, "y": 450, "data": data})


def expect_preview(visitor: Visitor, note: str) -> None:
    expect(visitor.page.locator("#file-note")).to_have_text(note)
    image = visitor.page.locator("#preview img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_a_picture_can_be_dropped_anywhere_on_the_page(visitor: Visitor) -> None:
    drop(visitor, PICTURE)
    expect_preview(visitor, f"heldout-0002.jpg, {PICTURE.stat().st_size / 1000:.0f} kB")
    visitor.choose_arms("fused")
    (arm,) = visitor.look()
    expect(visitor.card("fused")).to_contain_text("animal")
    assert arm["result"]["category"]["id"] == "animal"


def test_the_first_of_several_dropped_files_is_used_and_a_note_says_so(visitor: Visitor) -> None:
    drop(visitor, PICTURE, HELDOUT / "heldout-0001.jpg")
    expect_preview(visitor, "2 files were given; the first one is used.")


def test_a_dropped_link_is_refused_with_a_note(visitor: Visitor) -> None:
    browser = visitor.page.context.new_cdp_session(visitor.page)
    link = {"mimeType": "text/uri-list", "data": "https://example.org/cat.jpg"}
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [link], "dragOperationsMask": 1}
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 640, "y": 450, "data": data})
    expect(visitor.page.locator("#file-note")).to_contain_text("a link, not a file")


def test_a_picture_is_pasted(visitor: Visitor) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    png = base64.b64encode((HELDOUT / "heldout-0009.png").read_bytes()).decode()
    visitor.page.evaluate(
        """async (png) => {
            const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
            await navigator.clipboard.write([new ClipboardItem({"image/png": new Blob([bytes], {type: "image/png"})})]);
        }""",
        png,
    )
    visitor.page.keyboard.press("Control+V")
    expect(visitor.page.locator("#file-note")).to_contain_text("image.png")
    expect(visitor.page.locator("#preview img")).to_be_visible()


def test_a_file_is_chosen(visitor: Visitor) -> None:
    visitor.page.get_by_label("choose a file").set_input_files(PICTURE)
    expect_preview(visitor, f"heldout-0002.jpg, {PICTURE.stat().st_size / 1000:.0f} kB")


def test_a_picture_without_preview_is_still_tagged(visitor: Visitor, tmp_path: Path) -> None:
    tiff = tmp_path / "scan.tiff"
    Image.open(PICTURE).save(tiff)
    visitor.page.get_by_label("choose a file").set_input_files(tiff)
    expect(visitor.page.locator("#preview")).to_contain_text("cannot show the file")
    visitor.choose_arms("fused")
    visitor.look()
    expect(visitor.card("fused")).to_contain_text("animal")


@pytest.mark.parametrize("number", [1, 12])
def test_an_album_picture_has_its_truth(number: int, visitor: Visitor) -> None:
    visitor.choose_sample(number)
    expect_preview(visitor, visitor.page.locator("#file-note").inner_text())
    visitor.choose_arms("fused")
    visitor.look()
    truth = {1: "portrait", 12: "landscape"}[number]
    expect(visitor.page.locator(".truth")).to_contain_text(truth)


def held_back(visitor: Visitor, sample: str) -> list[Route]:
    """Open the page anew; the requests for the album's picture `sample` wait in the list that is returned."""
    held: list[Route] = []
    visitor.page.route(f"**/v1/samples/{sample}", lambda route: held.append(route))
    visitor.page.reload()
    expect(visitor.page.get_by_role("radio")).to_have_count(12)
    return held


def test_a_picture_can_be_asked_about_before_it_has_been_loaded(visitor: Visitor) -> None:
    page, loading = visitor.page, held_back(visitor, "heldout-0002.jpg")
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    with page.expect_response("**/v1/compare", timeout=ANSWER_WITHIN_MS) as answered:
        page.locator("#look").click()
        for route in loading:
            route.continue_()
    (arm,) = answered.value.json()["arms"]
    assert arm["result"]["source"].endswith("heldout-0002.jpg")
    expect(visitor.card("fused")).to_contain_text("animal")
    expect(page.locator("#file-note")).to_contain_text("heldout-0002.jpg")


def test_a_file_overtakes_a_picture_that_is_still_being_loaded(visitor: Visitor) -> None:
    page, loading = visitor.page, held_back(visitor, "heldout-0001.jpg")
    visitor.choose_sample(1)
    page.get_by_label("choose a file").set_input_files(PICTURE)
    for route in loading:
        route.continue_()
    expect(page.locator(".sample img[src]")).to_have_count(12)  # loaded
    expect_preview(visitor, f"heldout-0002.jpg, {PICTURE.stat().st_size / 1000:.0f} kB")


def test_a_picture_that_cannot_be_loaded_asks_nothing_about_the_one_before(visitor: Visitor) -> None:
    page, loading = visitor.page, held_back(visitor, "heldout-0001.jpg")
    page.get_by_label("choose a file").set_input_files(PICTURE)
    visitor.choose_sample(1)
    page.locator("#look").click()
    for route in loading:
        route.abort()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(page.locator(".comparison, .looking")).to_have_count(0)
    visitor.forgive("Failed to load resource")
    visitor.choose_arms("fused")
    visitor.look()  # the file, which the page still shows
    expect(visitor.card("fused")).to_contain_text("animal")


def test_the_same_file_can_be_chosen_again(visitor: Visitor) -> None:
    field = visitor.page.get_by_label("choose a file")
    for _ in range(2):
        field.set_input_files(PICTURE)
        expect_preview(visitor, f"heldout-0002.jpg, {PICTURE.stat().st_size / 1000:.0f} kB")
        visitor.choose_sample(1)
        expect(visitor.page.locator("#file-note")).to_contain_text("heldout-0001.jpg")


def test_a_new_picture_removes_the_answer(visitor: Visitor) -> None:
    visitor.choose_sample(1)
    visitor.choose_arms("fused")
    visitor.look()
    visitor.choose_sample(2)
    expect(visitor.page.locator(".comparison")).to_have_count(0)
    expect(visitor.page.get_by_role("heading", name="Give it something to look at")).to_be_visible()


def test_the_truth_is_removed_with_the_album_picture(visitor: Visitor) -> None:
    visitor.choose_sample(1)
    visitor.page.get_by_label("choose a file").set_input_files(PICTURE)
    expect(visitor.page.get_by_role("radio", checked=True)).to_have_count(0)
    visitor.choose_arms("fused")
    visitor.look()
    expect(visitor.page.locator(".truth")).to_have_count(0)
    expect(visitor.page.locator(".mark")).to_have_count(0)
