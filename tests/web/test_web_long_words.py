"""Words without a place to break them: labels, names of files and models, messages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.web.site import site
from tests.web.visitor import HELDOUT, Visitor, visit

TAXONOMY = Path(__file__).parent / "long_words.yaml"
NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


@pytest.fixture(scope="module")
def long_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with site(tmp_path_factory.mktemp("long") / "server.log", {"ONELOOK_TAXONOMY": str(TAXONOMY)}) as url:
        yield url


def cut_off(page: Page) -> list[str]:
    """What lies outside of the window, or is wider than its box: the texts of the elements."""
    texts: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *, footer *")].filter((element) => {
            if (element.closest(".unseen, [hidden], .chart") || !element.textContent.trim()) return false;
            if (element.id === "ask") return false; // the bar with its button reaches over its edges on purpose
            const { left, right, width } = element.getBoundingClientRect();
            const outside = width > 0 && (left < -0.5 || right > document.documentElement.clientWidth + 0.5);
            return outside || element.scrollWidth > Math.max(element.clientWidth, Math.ceil(width)) + 1;
        }).map((element) => `${element.className}: ${element.textContent.slice(0, 60)}`)"""
    )
    return texts


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("width", [360, 1280])
def test_long_words_wrap(width: int, locale: str, browser: Browser, long_site: str, tmp_path: Path) -> None:
    picture = tmp_path / f"{NAME}.jpg"
    shutil.copy(HELDOUT / "heldout-0005.jpg", picture)
    with visit(browser, long_site, viewport={"width": width, "height": 780}, locale=locale) as visitor:
        page = visitor.page
        page.locator("#file").set_input_files(picture)
        visitor.choose_arms("fused", "reads")
        visitor.look()
        assert cut_off(page) == []
        assert visitor.complaints == []


def test_a_long_message_wraps(browser: Browser, long_site: str, tmp_path: Path) -> None:
    broken = tmp_path / f"{NAME}.jpg"
    broken.write_text("no picture")
    with visit(browser, long_site, viewport={"width": 360, "height": 780}) as visitor:
        refuse(visitor, broken)
        assert cut_off(visitor.page) == []


def refuse(visitor: Visitor, file: Path) -> None:
    visitor.page.locator("#file").set_input_files(file)
    visitor.page.locator("#look").click()
    visitor.page.locator(".problem").wait_for()
