"""A result to take along, and the server's notes in the language of the page."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.web.visitor import HELDOUT, Visitor, visit


def test_a_result_can_be_copied(visitor: Visitor) -> None:
    page = visitor.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.choose_sample(2)
    visitor.choose_arms("fused", "reads")
    arms = visitor.look()
    visitor.card("reads").get_by_role("button", name="Copy JSON").click()
    expect(visitor.card("reads").get_by_role("status")).to_have_text("Copied.")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == arms[1]["result"]


def test_a_result_can_be_copied_where_the_browser_has_no_clipboard_for_pages(visitor: Visitor) -> None:
    """A page over plain http from another machine has none."""
    page = visitor.page
    page.context.grant_permissions(["clipboard-read"])
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    (arm,) = visitor.look()
    read = "navigator.clipboard.readText.bind(navigator.clipboard)"
    page.evaluate(f"window.read = {read}; Object.defineProperty(navigator, 'clipboard', {{ value: undefined }})")
    visitor.card("fused").get_by_role("button", name="Copy JSON").click()
    expect(visitor.card("fused").get_by_role("status")).to_have_text("Copied.")
    assert json.loads(page.evaluate("window.read()")) == arm["result"]


def test_a_result_can_be_downloaded(visitor: Visitor, tmp_path: Path) -> None:
    visitor.page.locator("#file").set_input_files(HELDOUT / "heldout-0005.jpg")
    visitor.choose_arms("fused")
    (arm,) = visitor.look()
    with visitor.page.expect_download() as started:
        visitor.card("fused").get_by_role("button", name="Download JSON").click()
    assert started.value.suggested_filename == "heldout-0005.fused.json"
    started.value.save_as(tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == arm["result"]


def test_the_note_on_the_model_is_in_the_pages_language(browser: Browser, site_url: str) -> None:
    with visit(browser, site_url, locale="zh-CN") as visitor:
        note = visitor.page.locator("#note")
        expect(note).to_contain_text("演示模型只认得自带相册里的图画")
        visitor.page.get_by_role("button", name="English").click()
        expect(note).to_contain_text("The demo model knows the bundled album's drawings only")
        expect(note).not_to_have_attribute("lang", "en")  # it is the page's own language, which the page says


def test_the_reason_for_a_second_pass_is_in_the_pages_language(browser: Browser, site_url: str) -> None:
    with visit(browser, site_url, locale="zh-CN") as visitor:
        visitor.choose_sample(1)
        visitor.choose_arms("fused")
        visitor.page.get_by_text("选项", exact=True).click()
        visitor.page.get_by_label("先看小图").check()
        visitor.page.get_by_label("置信度低于此值需复核").fill("1")
        (arm,) = visitor.look()
        assert arm["result"]["first_look"]["reason"].startswith("the least sure label")
        why = visitor.card("fused").locator(".why")
        expect(why.last).to_contain_text("置信度最低的标签为")
        assert "least sure" not in visitor.card("fused").inner_text()


def test_the_page_leads_to_the_documentation(visitor: Visitor) -> None:
    visitor.page.get_by_role("link", name="The HTTP API").click()
    visitor.page.locator(".opblock").first.wait_for()
