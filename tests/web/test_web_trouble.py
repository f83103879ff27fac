"""Messages of the page for missing input and for errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.site import site
from tests.web.visitor import Visitor, visit


def test_a_text_file_named_jpg_is_refused_with_a_message(visitor: Visitor, tmp_path: Path) -> None:
    text = tmp_path / "holiday.jpg"
    text.write_text("This is not a picture at all. " * 40)
    page = visitor.page
    page.get_by_label("choose a file").set_input_files(text)
    page.locator("#look").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This is not a picture that can be read")
    expect(alert).to_contain_text("it looks like text")
    name = alert.get_by_text("holiday.jpg: ").evaluate("e => getComputedStyle(e, '::first-letter').textTransform")
    assert name == "none", "a file's name is shown as it is written"
    expect(page.locator("#said")).to_be_empty()  # nothing runs any longer
    expect(alert).to_contain_text("What to do: JPEG, PNG")
    expect(page.locator(".comparison")).to_have_count(0)
    visitor.forgive("422")
    visitor.choose_sample(2)  # and it goes on from there
    visitor.choose_arms("fused")
    visitor.look()
    expect(alert).to_be_empty()


def test_a_message_names_a_missing_picture_or_arm(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("#look").click()
    expect(page.locator("#file-note")).to_have_text("Choose a picture first.")
    expect(page.locator("#file")).to_be_focused()
    visitor.choose_sample(2)
    visitor.choose_arms()
    page.locator("#look").click()
    expect(page.get_by_text("Choose at least one arm.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="fused")).to_be_focused()
    visitor.choose_arms("reads")
    expect(page.get_by_text("Choose at least one arm.")).to_be_hidden()


def test_a_number_out_of_range_is_marked(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_sample(2)
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Long edge, pixels").fill("9")
    page.get_by_text("Options", exact=True).click()  # folded away, and opened again for the reader
    page.locator("#look").click()
    expect(page.get_by_label("Long edge, pixels")).to_be_focused()
    expect(page.locator(".comparison, .looking")).to_have_count(0)


def never_answer(route: Route) -> None:
    """A server that does not answer yet (simulated)."""


@pytest.mark.parametrize("way", ["button", "Escape"])
def test_a_run_can_be_cancelled(way: str, visitor: Visitor) -> None:
    page = visitor.page
    page.route("**/v1/compare", never_answer)
    visitor.choose_sample(2)
    page.locator("#look").click()
    expect(page.get_by_role("region", name="Answer")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".looking")).to_contain_text("Tagging with fused and legacy")
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_have_text(re.compile(r"^Cancel \([1-9]\d*\.\d s\)$"))  # seconds go by
    if way == "button":
        cancel.click()
    else:
        page.keyboard.press("Escape")
    expect(page.get_by_role("status").filter(has_text="Cancelled.")).to_be_attached()
    expect(cancel).to_be_hidden()
    expect(page.locator("#look")).to_be_visible()
    page.unroute("**/v1/compare")
    visitor.choose_arms("fused")
    visitor.look()


def test_a_busy_server_is_reported_with_the_time_to_wait(visitor: Visitor) -> None:
    problem = '{"title": "Too Many Requests", "status": 429, "detail": "256 requests wait", "kind": "Busy"}'
    visitor.page.route(
        "**/v1/compare", lambda route: route.fulfill(status=429, headers={"Retry-After": "2"}, body=problem)
    )
    visitor.choose_sample(2)
    visitor.page.locator("#look").click()
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("The server is busy")
    expect(alert).to_contain_text("256 requests wait")
    expect(alert).to_contain_text("Try again in 2 s.")
    visitor.forgive("429")


def test_a_broken_connection_is_reported(visitor: Visitor) -> None:
    visitor.page.route("**/v1/compare", lambda route: route.abort("connectionreset"))
    visitor.choose_sample(2)
    visitor.page.locator("#look").click()
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("The server does not answer")
    expect(alert).to_contain_text("the file is too large")
    visitor.forgive("ERR_CONNECTION_RESET")


def spoiled(page: Page, **changes: Any) -> None:
    """Replaces parts of the last arm's result in the API's response (simulated)."""

    def spoil(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["arms"][-1]["result"].update(changes)
        route.fulfill(response=answer, json=body)

    page.route("**/v1/compare", spoil)


def test_a_page_recovers_without_reload_when_its_server_is_back(browser: Browser, site_url: str) -> None:
    with visit(browser, site_url) as visitor:
        page = visitor.page
        page.route("**/v1/taxonomy", lambda route: route.abort())
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
        page.unroute("**/v1/taxonomy")
        page.locator("#look").click()
        page.locator(".sample img[src]").last.wait_for()
        expect(page.get_by_role("alert")).to_be_empty()
        visitor.choose_sample(2)
        visitor.choose_arms("fused")
        visitor.look()


def test_a_failed_arm_is_shown_next_to_one_that_succeeded(visitor: Visitor) -> None:
    error = {"kind": "ReplyInvalid", "node": "parse", "message": "no category in “Hmm”", "hint": "try `fused`"}
    spoiled(visitor.page, status="failed", category=None, details={}, errors=[error])
    visitor.choose_sample(2)
    visitor.choose_arms("fused", "legacy")
    visitor.look()
    expect(visitor.card("fused")).to_contain_text("animal")
    card = visitor.card("legacy")
    expect(card).to_contain_text("failed")
    expect(card).to_contain_text("The model's reply could not be read")
    expect(card).to_contain_text("no category in “Hmm”")
    expect(card).to_contain_text("What to do: try fused")
    expect(visitor.page.get_by_role("region", name="legacy")).to_be_visible()  # its time was spent all the same


def test_a_specialists_answer_shows_the_reason_and_the_first_answer(visitor: Visitor) -> None:
    first = {"id": "food", "label": "food", "confidence": 0.4}
    escalation = {"reason": "the least sure label has 0.40", "model": "/models/small", "category": first, "details": {}}
    spoiled(visitor.page, status="ok", escalation=escalation)
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    visitor.look()
    card = visitor.card("fused")
    expect(card).to_contain_text("The specialist answered, because the least sure label has 0.40.")
    expect(card).to_contain_text("First answer (small): food.")


def test_a_second_pass_shows_its_reason(visitor: Visitor) -> None:
    pictures = [{"width": 224, "height": 168, "content": None}]
    category = {"id": "food", "label": "food", "confidence": 0.4}
    first = {"reason": "the least sure label has 0.40", "pictures": pictures, "category": category, "details": {}}
    spoiled(visitor.page, first_look=first)
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    visitor.look()
    words = "First pass at 224 × 168 (food); second pass because the least sure label has 0.40."
    expect(visitor.card("fused")).to_contain_text(words)


def test_an_absent_option_with_low_confidence_is_named(visitor: Visitor) -> None:
    absences = {"composition": [{"id": "selfie", "label": "selfie", "confidence": 0.55}]}
    category = {"id": "portrait", "label": "portrait", "confidence": 0.9}
    spoiled(visitor.page, status="needs_review", category=category, details={"composition": []}, absences=absences)
    visitor.choose_sample(2)
    visitor.choose_arms("reads")
    visitor.look()
    expect(visitor.card("reads")).to_contain_text("that it is not selfie, at 55%, below the threshold of 85%")


def test_a_confident_answer_whose_specialist_failed_is_not_called_low(visitor: Visitor) -> None:
    category = {"id": "building", "label": "building", "confidence": 0.97}
    error = {"kind": "EngineUnavailable", "node": "escalate", "message": "nothing answers", "hint": "start it"}
    spoiled(visitor.page, status="needs_review", category=category, details={}, absences={}, errors=[error])
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    visitor.look()
    card = visitor.card("fused")
    expect(card).to_contain_text("The model's server does not answer")
    expect(card).not_to_contain_text("Lowest confidence")


def test_a_missing_confidence_is_reported(visitor: Visitor) -> None:
    category = {"id": "animal", "label": "animal", "confidence": None}
    spoiled(visitor.page, status="needs_review", category=category, details={"species": [], "count": []})
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    visitor.look()
    card = visitor.card("fused")
    expect(card).to_contain_text("The engine returned no confidence.")
    expect(card.locator(".tag .number")).to_have_text("unknown")


def test_a_server_with_a_key_asks_for_it(browser: Browser, tmp_path: Path) -> None:
    with site(tmp_path / "server.log", {"ONELOOK_HTTP__API_KEY": "sesame"}) as url, visit(browser, url) as visitor:
        page = visitor.page
        expect(page.get_by_role("alert")).to_contain_text("This server needs a key")
        page.get_by_label("Key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Key")).to_have_value("")
        page.get_by_label("Key").fill("sesame")
        page.keyboard.press("Enter")
        page.locator(".sample img[src]").last.wait_for()
        expect(page.get_by_role("alert")).to_be_empty()
        visitor.choose_sample(2)
        visitor.choose_arms("fused")
        visitor.look()
        page.reload()
        page.locator(".sample img[src]").last.wait_for()  # known as long as the tab is open
        assert page.evaluate("Object.keys(localStorage)") == []
