"""Both languages, light and dark, on a phone, with the keyboard only, and for screen readers."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.web.visitor import Visitor, visit

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
Scheme = Literal["light", "dark"]


def test_the_language_changes_immediately_and_is_remembered(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_sample(2)
    visitor.choose_arms("fused", "legacy")
    visitor.look()
    expect(visitor.card("fused")).to_contain_text("animal")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(visitor.card("fused")).to_contain_text("动物")
    expect(visitor.card("fused")).to_contain_text("物种")
    expect(page.get_by_role("heading", name="耗时分布")).to_be_visible()
    expect(page.get_by_role("button", name="比较 2 条路径")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="图片", exact=True)).to_be_visible()
    page.locator(".sample img[src]").last.wait_for()
    visitor.choose_sample(2)
    (fused, _) = visitor.look()
    assert fused["result"]["language"] == "zh"


def test_a_chinese_browser_gets_a_chinese_page(browser: Browser, site_url: str) -> None:
    with visit(browser, site_url, locale="zh-CN") as visitor:
        expect(visitor.page.get_by_role("heading", name="图片", exact=True)).to_be_visible()
        visitor.page.get_by_text("选项", exact=True).click()
        names = {"JPEG", "PNG", "WebP", "AVIF", "HEIC", "TIFF", "GIF", "BMP", "JSON", "arm", "token", "vlm"}
        arms = {"fused", "reads", "hybrid", "legacy", "legacy_shared"}
        parts = (visitor.page.locator(part).inner_text() for part in ("#ask", "#shown"))
        assert set(re.findall("[A-Za-z_]+", " ".join(parts))) <= names | arms


def luminance(page: Page, name: str) -> float:
    """Luminance of a colour of the body, from 0 (black) to 1 (white)."""
    colour: str = page.evaluate("(name) => getComputedStyle(document.body)[name]", name)
    red, green, blue = (int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colour_scheme_follows_the_users_preference(scheme: Scheme, browser: Browser, site_url: str) -> None:
    with visit(browser, site_url, color_scheme=scheme) as visitor:
        paper, ink = (luminance(visitor.page, name) for name in ("backgroundColor", "color"))
        assert (paper > 0.9 and ink < 0.2) if scheme == "light" else (paper < 0.1 and ink > 0.8)


def test_nothing_is_cut_off_on_a_narrow_phone(browser: Browser, site_url: str) -> None:
    with visit(browser, site_url, **PHONE) as visitor:
        page = visitor.page

        def overhang() -> int:
            return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

        assert overhang() == 0
        page.get_by_text("Options", exact=True).tap()
        visitor.choose_sample(1)
        visitor.choose_arms("fused", "reads", "legacy", "legacy_shared")
        visitor.look()
        expect(page.locator(".verdict")).to_be_in_viewport()  # the answer is brought into view
        page.get_by_text("The numbers").tap()
        assert overhang() == 0
        bar = page.get_by_role("region", name="fused", exact=True).get_by_role("img", name="decode")
        bar.tap()
        expect(page.locator(".bubble")).to_be_in_viewport(ratio=1)
        assert visitor.complaints == []


def test_there_is_no_motion_if_the_user_prefers_less(browser: Browser, site_url: str) -> None:
    with visit(browser, site_url, reduced_motion="reduce") as visitor:
        visitor.page.route("**/v1/compare", lambda route: None)
        visitor.choose_sample(2)
        visitor.page.locator("#look").click()
        visitor.page.locator(".looking").wait_for()
        assert visitor.page.evaluate("document.getAnimations().length") == 0


def test_everything_works_with_the_keyboard_only(visitor: Visitor) -> None:
    page = visitor.page
    keyboard = page.keyboard

    def tab_to(words: str) -> None:
        for _ in range(40):
            keyboard.press("Tab")
            if page.evaluate("(words) => document.activeElement.matches(words)", words):
                return
        raise AssertionError(f"the Tab key never came to {words}")

    tab_to(".skip")
    tab_to("#file")
    tab_to("input[name=sample]")
    keyboard.press("ArrowRight")  # the second picture
    expect(page.locator("#file-note")).to_contain_text("heldout-0002.jpg")
    tab_to("input[value=reads]")
    keyboard.press("Space")
    tab_to("#options summary")
    keyboard.press("Enter")
    tab_to("#option-confidence_threshold")
    keyboard.press("ArrowRight")
    tab_to("#look")
    keyboard.press("Enter")
    page.locator(".comparison").wait_for(timeout=120_000)
    expect(page.locator("#look")).to_be_focused()  # where the reader was
    tab_to(".bar")
    bubble = page.locator(".bubble")
    expect(bubble).to_contain_text("prepare")
    keyboard.press("ArrowRight")
    expect(bubble).not_to_contain_text("prepare")
    keyboard.press("End")
    expect(bubble).to_contain_text("scheduling")
    keyboard.press("Escape")
    expect(bubble).to_be_hidden()
    keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.matches('.bar')")  # the chart is one stop


def test_results_are_announced_to_screen_readers(visitor: Visitor) -> None:
    visitor.choose_sample(2)
    visitor.choose_arms("fused", "legacy")
    fused, legacy = visitor.look()
    said = visitor.page.locator("#said")
    for arm in (fused, legacy):
        status = {"ok": "ok", "needs_review": "needs review"}[arm["result"]["status"]]
        wall_ms = arm["result"]["ledger"]["wall_ms"]
        expect(said).to_contain_text(f"{arm['arm']}: {status}, animal, {wall_ms:,.1f} milliseconds.")


def test_every_bar_has_a_label(visitor: Visitor) -> None:
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    (arm,) = visitor.look()
    (span,) = [span for node in arm["result"]["ledger"]["nodes"] for span in node["spans"] if span["name"] == "engine"]
    lane = visitor.page.get_by_role("region", name="fused", exact=True)
    decode_ms, end_ms = span["server"]["decode_ms"], span["end_ms"]
    words = f"decode, {decode_ms:,.1f} ms, from {end_ms - decode_ms:,.1f} to {end_ms:,.1f} ms"
    bar = lane.get_by_role("img", name=words, exact=True)
    expect(bar).to_have_count(1)
    bar.hover()
    expect(visitor.page.locator(".bubble")).to_have_text(words)


def faults(page: Page) -> list[tuple[str, str, Any]]:
    """Violations found by axe-core with all rules."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(fault["id"], node["html"], node["failureSummary"]) for fault in found for node in fault["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_fault(options: dict[str, Any], scheme: Scheme, browser: Browser, site_url: str) -> None:
    with visit(browser, site_url, color_scheme=scheme, locale="zh-CN" if options else "en-US", **options) as visitor:
        page = visitor.page
        assert faults(page) == []
        page.locator("#options").evaluate("options => (options.open = true)")
        visitor.choose_sample(1)
        visitor.choose_arms("fused", "reads")
        visitor.look()
        page.locator(".numbers").evaluate("numbers => (numbers.open = true)")
        assert faults(page) == []


def test_axe_finds_no_fault_in_error_messages(visitor: Visitor) -> None:
    page = visitor.page
    problem = '{"title": "Unauthorized", "status": 401, "detail": "no key", "errors": [{"field": "a", "message": "b"}]}'
    page.route("**/v1/compare", lambda route: route.fulfill(status=401, body=problem))
    visitor.choose_sample(2)
    page.locator("#look").click()
    page.locator(".problem").wait_for()
    assert faults(page) == []
    visitor.forgive("401")
