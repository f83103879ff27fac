"""A user of the page: their actions, and the errors that the browser logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

HELDOUT = Path(__file__).parent.parent.parent / "tools" / "demo_model" / "heldout"
ANSWER_WITHIN_MS = 120_000


@dataclass
class Visitor:
    """`complaints`: errors and warnings of the console (a violated content security policy is one), exceptions, and
    requests to other hosts."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def choose_sample(self, number: int = 1) -> None:
        self.page.get_by_role("radio").nth(number - 1).check(force=True)  # it lies, unseen, on its thumbnail

    def choose_arms(self, *arms: str) -> None:
        for box in self.page.get_by_role("group", name=re.compile("Arms|路径")).get_by_role("checkbox").all():
            box.set_checked(box.get_attribute("value") in arms)

    def look(self) -> list[dict[str, Any]]:
        """Run, wait for the answer, and return the API's result of each arm."""
        with self.page.expect_response("**/v1/compare", timeout=ANSWER_WITHIN_MS) as answered:
            self.page.locator("#look").click()
        arms: list[dict[str, Any]] = answered.value.json()["arms"]
        self.page.locator(".comparison").wait_for()
        return arms

    def measure(self) -> dict[str, Any]:
        """Ask which arm is faster, wait, and return what the API says."""
        with self.page.expect_response("**/v1/compare", timeout=ANSWER_WITHIN_MS) as answered:
            self.page.locator(".timing button").click()
        said: dict[str, Any] = answered.value.json()
        self.page.locator(".comparison").wait_for()
        return said

    def card(self, arm: str) -> Locator:
        return self.page.get_by_role("article", name=arm, exact=True)

    def forgive(self, words: str) -> None:
        """Remove the one error that a test provokes: Chromium logs every 4xx and 5xx response."""
        (forgiven,) = [parse_error for parse_error in self.complaints if words in parse_error]
        self.complaints.remove(forgiven)


@contextmanager
def visit(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """`options` as in Playwright's `new_context`: viewport, color_scheme, locale…; waits until the page is filled."""
    with opened(browser, url, **options) as visitor:
        visitor.page.goto(f"{url}/")
        visitor.page.locator(".sample img[src], .problem").last.wait_for()
        yield visitor


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """An empty page of a user of the server at `url`."""
    context = browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **options})
    visitor = Visitor(context.new_page())

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visitor.complaints.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((url, "blob:", "data:")):
            visitor.complaints.append(f"request to {request.url}")

    visitor.page.on("console", said)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    visitor.page.on("request", asked)
    try:
        yield visitor
    finally:
        context.close()
