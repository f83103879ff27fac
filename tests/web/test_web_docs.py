"""The documentation page of the HTTP API, without any other host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.web.visitor import ANSWER_WITHIN_MS, HELDOUT, Visitor, opened

# Swagger UI has no field of its own for "a list of files" and says so, but shows one that works.
HARMLESS = "Could not find component: JsonSchema_string_binary"


@pytest.fixture(params=[360, 1280])
def reader(request: pytest.FixtureRequest, browser: Browser, site_url: str) -> Iterator[Visitor]:
    with opened(browser, site_url, viewport={"width": request.param, "height": 900}) as reader:
        reader.page.goto(f"{site_url}/docs")
        reader.page.locator(".opblock").first.wait_for()
        yield reader
    assert [each for each in reader.complaints if each != HARMLESS] == []


def test_it_shows_the_operations(reader: Visitor) -> None:
    paths = reader.page.locator(".opblock-summary-path").all_inner_texts()
    assert [path.replace("\u200b", "") for path in paths][:3] == ["/v1/tags", "/v1/tags/batch", "/v1/compare"]
    reader.page.locator("#operations-pictures-tag").get_by_role("button").first.click()
    expect(reader.page.get_by_text("One to five pictures of one subject.").first).to_be_visible()
    width = reader.page.evaluate("document.documentElement.scrollWidth")
    viewport = reader.page.viewport_size
    assert viewport is not None
    assert width <= viewport["width"]


def test_a_request_can_be_tried(reader: Visitor) -> None:
    operation = reader.page.locator("#operations-pictures-tag")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("input[type=file]").first.set_input_files(HELDOUT / "heldout-0005.jpg")
    with reader.page.expect_response("**/v1/tags*", timeout=ANSWER_WITHIN_MS) as answered:
        operation.get_by_role("button", name="Execute").click()
    assert answered.value.status == 200, answered.value.text()
    assert answered.value.json()["source"] == "heldout-0005.jpg"
    expect(operation.locator(".live-responses-table")).to_contain_text("heldout-0005.jpg")
