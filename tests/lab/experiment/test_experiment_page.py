"""report.html in a real browser, opened as a file: what a reader finds, on a desk and on a phone."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from onelook.engines.scripted import Scripted
from onelook.errors import EngineRefused
from onelook.lab.experiment import Experiment, ExperimentArm
from onelook.lab.experiment.outcomes import FILE
from onelook.lab.experiment.report.model import Report
from onelook.lab.experiment.report.write import PAGE, write_report
from tests.graph.replies import BUILDING, sure
from tests.lab.experiment.albums import PLANT, arm, draw_album, engine
from tests.web.browser import chromium
from tests.web.visitor import opened

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>'\" $style 😀\n.png"
)
HOSTILE_NAME = HOSTILE.replace("/", "∕")
MANY = 40
WON, LOST, BOTH_WRONG = [1, 2, 3], [4, 5], [6]

browser_test = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def odd(number: int) -> Scripted:
    """An arm with a failure."""
    if number == 7:
        return EngineRefused("HTTP 400 " + HOSTILE)
    return sure(PLANT if number in (*LOST, *BOTH_WRONG) else BUILDING)


def album_of(folder: Path, count: int = MANY) -> Path:
    """Pictures in three folders, one of which has a hostile name."""
    draw_album(folder, count, ["one", "two", "three"])
    labels = folder / "labels.jsonl"
    lines = [json.loads(line) for line in labels.read_text().splitlines()]
    (folder / lines[0]["file"]).rename(folder / HOSTILE_NAME)
    lines[0]["file"] = HOSTILE_NAME
    labels.write_text("\n".join(json.dumps(line) for line in lines))
    return folder


def run(album: Path, out: Path, arms: dict[str, ExperimentArm], **choices: Any) -> Report:
    """In a thread of its own: Playwright's synchronous API keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(Experiment(album, arms, out=out, **choices).run())).result()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three arms and the baseline again, in folders as clusters, caches both ways; one picture is gone afterwards."""
    top = tmp_path_factory.mktemp("page")
    album = album_of(top / "album")
    arms = {
        "old": arm([*WON, *BOTH_WRONG]),
        "new": ExperimentArm(engine=engine(reply=odd)),
        "third": arm(range(20)),
    }
    run(album, top / "out", arms, cluster="folder", caches="both", margin=0.1)
    return top / "out"


@contextmanager
def reader(browser: Browser, file: Path, **options: Any) -> Iterator[Page]:
    """A person who has opened the file. The test fails if the page logs an error, or asks a host for anything."""
    with opened(browser, file.as_uri(), **options) as visitor:
        visitor.page.goto(file.as_uri())
        visitor.page.locator("h1").wait_for()
        yield visitor.page
    assert visitor.complaints == []


def cards(page: Page) -> Locator:
    return page.locator(".card")


def names(page: Page) -> list[str]:
    return page.locator(".card .file").all_text_contents()


@browser_test
def test_the_page_says_the_verdict_and_shows_every_chart(browser: Browser, folder: Path) -> None:
    with reader(browser, folder / PAGE, **DESK) as page:
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_contain_text("Against old, in whole records on 40 pictures:")
        expect(heading).to_contain_text("third is worse")
        expect(page.locator(".facts")).to_contain_text("as designed")
        expect(page.locator(".verdicts > li")).to_have_count(2)
        titles = page.locator("main h2").all_inner_texts()
        for title in (
            "Arms",
            "Accuracy against old",
            "Latency against old",
            "Accuracy and latency together",
            "Latency distributions",
            "Where the time goes, and where a gain comes from",
            "Are the confidences true?",
            "Picture by picture",
        ):
            assert title in titles
        calibration = page.locator("figcaption", has_text="ECE").first.inner_text()
        assert re.search(r"ECE 0\.\d{3} \(0\.\d{3} to [01]\.\d{3}\) · Brier 0\.\d{3} \(", calibration)
        assert page.locator("svg .mark").count() > 20
        outside = page.evaluate(
            """[...document.querySelectorAll("svg.row, svg.plot")].flatMap((drawing) => {
              const frame = drawing.getBoundingClientRect();
              return [...drawing.querySelectorAll(".mark, .bar, .interval, .range")].filter((mark) => {
                const box = mark.getBoundingClientRect();
                return box.left < frame.left - 8 || box.right > frame.right + 8;
              });
            }).length"""
        )
        assert outside == 0, "every mark and bar is within its axis"


@browser_test
def test_the_parts_of_a_gain_add_up_to_it(browser: Browser, folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    with reader(browser, folder / PAGE, **DESK) as page:
        figures = page.locator(".beside .rows").filter(has_text="From old to new").first.locator(".row-figures")
        texts = [each.removesuffix(" ms").replace("−", "-").replace(",", "") for each in figures.all_inner_texts()]
    before, *steps, after = map(float, texts)
    compared = next(each for each in report["latency"] if each["arm"] == "new")
    assert before + sum(steps) == pytest.approx(after, abs=0.06 * len(texts))
    assert after - before == pytest.approx(compared["difference"], abs=0.2)
    parts = sum(each["difference"]["value"] for each in compared["parts"].values())
    assert parts == pytest.approx(compared["difference"])


@browser_test
def test_the_gallery_counts_as_the_report_does(browser: Browser, folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    with reader(browser, folder / PAGE, **DESK) as page:
        for name in ("new", "third"):
            page.get_by_role("combobox", name="Arm", exact=True).select_option(name)
            row = next(each for each in report["accuracy"] if (each["arm"], each["metric"]) == (name, "record"))
            expect(page.locator("#count")).to_have_text(
                f"40 of 40 pictures: {row['won']} won, {row['lost']} lost, {row['both_wrong']} both wrong,"
                f" {row['both_right']} both right"
            )


@browser_test
def test_filters_leave_what_they_say(browser: Browser, folder: Path) -> None:
    with reader(browser, folder / PAGE, **DESK) as page:
        page.get_by_label("Outcome").select_option("won")
        assert [re.sub(r".*/", "", each) for each in names(page)] == ["01.png", "02.png", "03.png"]
        expect(cards(page).first).to_contain_text("building")
        expect(cards(page).first.locator(".answer.wrong")).to_contain_text("old")
        page.get_by_label("Outcome").select_option("lost")
        assert [re.sub(r".*/", "", each) for each in names(page)] == ["04.png", "05.png", "07.png"]
        expect(cards(page).last).to_contain_text("failed")
        page.get_by_role("combobox", name="Against").select_option("third")
        page.get_by_label("Outcome").select_option("both_wrong")
        assert [re.sub(r".*/", "", each) for each in names(page)] == ["04.png", "05.png", "06.png", "07.png"]
        page.get_by_role("button", name="Reset").click()
        expect(cards(page)).to_have_count(MANY)
        page.get_by_label("Category").select_option("building")
        page.get_by_label("Name contains").fill("39.PNG")
        expect(cards(page)).to_have_count(1)
        page.get_by_label("Name contains").fill("nothing")
        expect(page.locator("#none")).to_have_text("No picture matches these filters.")
        page.get_by_role("button", name="Reset").click()
        page.get_by_role("slider", name="Confidence up to").fill("1")
        expect(page.locator("#count")).to_contain_text(re.compile(r"^1 of 40"))
        assert names(page)[0].endswith("07.png"), "a failed answer has no confidence"


@browser_test
def test_it_is_used_with_the_keyboard_alone(browser: Browser, folder: Path) -> None:
    with reader(browser, folder / PAGE, **DESK) as page:
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_label("Outcome")).to_be_focused()
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.className").startswith("card"):
                break
        expect(cards(page).first).to_be_focused()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("02.png")
        for words in ("label", "old", "new", "third", "old (again)", "building", "plant", "latency"):
            expect(dialog).to_contain_text(words)
        page.keyboard.press("ArrowRight")
        expect(dialog).to_contain_text("03.png")
        page.keyboard.press("Escape")
        expect(page.locator(".card[data-place='2']")).to_be_focused()
        page.keyboard.press("End")
        expect(page.locator(f".card[data-place='{MANY - 1}']")).to_be_focused()


@browser_test
def test_names_and_messages_are_text_and_never_markup(browser: Browser, folder: Path) -> None:
    text = (folder / PAGE).read_text(encoding="utf-8")
    assert text.count("<script") == 4, "three blocks of data, and the page's own"
    with reader(browser, folder / PAGE, **DESK) as page:
        page.get_by_label("Name contains").fill("$style")
        cards(page).first.click()
        assert page.locator("#details-title").text_content() == HOSTILE_NAME
        page.keyboard.press("Escape")
        page.get_by_label("Name contains").fill("07.png")
        cards(page).first.click()
        expect(page.get_by_role("dialog")).to_contain_text("HTTP 400 </script><script>")
        assert "owned" not in page.title()
        assert page.locator("img[src='x']").count() == 0


@browser_test
def test_a_script_that_is_not_the_pages_own_does_not_run(browser: Browser, folder: Path, tmp_path: Path) -> None:
    added = "<script>document.title = 'owned'</script><img src='https://example.org/x.png'></body>"
    changed = tmp_path / "changed.html"
    changed.write_text((folder / PAGE).read_text(encoding="utf-8").replace("</body>", added), encoding="utf-8")
    with opened(browser, changed.as_uri(), **DESK) as visitor:
        visitor.page.goto(changed.as_uri())
        cards(visitor.page).first.wait_for()
        assert "owned" not in visitor.page.title()
    assert len([each for each in visitor.complaints if "Content Security Policy" in each]) == 2


@browser_test
@pytest.mark.parametrize("manner", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "zh-CN")])
def test_axe_finds_nothing(browser: Browser, folder: Path, manner: dict[str, Any], scheme: str, locale: str) -> None:
    with reader(browser, folder / PAGE, **manner, color_scheme=scheme, locale=locale) as page:
        page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
        found = [Axe().run(page)]
        cards(page).first.click()
        found.append(Axe().run(page))
        assert [each.generate_report() for each in found if each.violations_count] == []
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, "nothing to scroll sideways"


@browser_test
def test_it_speaks_chinese_and_keeps_the_filters(browser: Browser, folder: Path, tmp_path: Path) -> None:
    with reader(browser, folder / PAGE, **PHONE, locale="zh-CN") as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text("与 old 相比，在 40 张图片上")
        expect(page.get_by_role("heading", name="延迟分布")).to_be_visible()
        expect(page.get_by_role("heading", name="Latency distributions")).to_have_count(0)
        page.get_by_label("结果").select_option("won")
        expect(page.locator("#count")).to_contain_text("赢 3")
        page.get_by_role("button", name="English").click()
        expect(page.locator("#count")).to_have_text("3 of 40 pictures: 3 won, 0 lost, 0 both wrong, 0 both right")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Against old")
        assert page.locator("html").get_attribute("lang") == "en"
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    write_report(copy, language="zh")
    with reader(browser, copy / PAGE, **DESK, locale="en-US") as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text("与 old 相比")


@browser_test
def test_a_print_has_the_charts_and_the_pictures_of_the_page(browser: Browser, folder: Path) -> None:
    with reader(browser, folder / PAGE, **DESK) as page:
        page.emulate_media(media="print")
        expect(page.locator("#filters")).to_be_hidden()
        expect(page.locator(".languages")).to_be_hidden()
        expect(page.locator("svg.plot").first).to_be_visible()
        expect(cards(page).first).to_be_visible()


@browser_test
def test_a_few_thousand_pictures_come_page_by_page(browser: Browser, tmp_path: Path) -> None:
    """Forty pictures under three thousand names: outcomes of one run, written out for all of them."""
    album, out = draw_album(tmp_path / "album", 40), tmp_path / "out"
    run(album, out, {"old": arm([1]), "new": arm([2])}, aa=False)
    document = json.loads((out / "design.json").read_text())
    design, lines = document["design"], (out / FILE).read_text().splitlines()
    first = design["pictures"]
    design["pictures"] = [{**first[i % 40], "name": f"{i // 40}/{first[i % 40]['name']}"} for i in range(3000)]
    outcomes = [json.loads(line) for line in lines if '"kind":"outcome"' in line]
    more = [json.dumps({**each, "picture": f"{i}/{each['picture']}"}) for i in range(75) for each in outcomes]
    (out / "design.json").write_text(json.dumps(document))
    (out / FILE).write_text("\n".join([*(line for line in lines if '"kind":"outcome"' not in line), *more]) + "\n")
    shutil.copytree(out / "thumbnails", out / "kept")
    write_report(out)
    assert (out / PAGE).stat().st_size < 20_000_000
    with reader(browser, out / PAGE, **DESK) as page:
        expect(page.locator("#count")).to_contain_text("3,000 of 3,000 pictures: 75 won, 75 lost")
        expect(cards(page)).to_have_count(48)
        page.get_by_role("button", name="Next").click()
        expect(page.locator("#pages")).to_contain_text("49 to 96 of 3,000")
        expect(cards(page).first).to_be_focused()
        page.get_by_label("Outcome").select_option("both_wrong")
        expect(cards(page)).to_have_count(0)


@browser_test
def test_a_notebook_shows_the_sentences_and_the_page_in_a_frame(browser: Browser, folder: Path, tmp_path: Path) -> None:
    shown = write_report(folder)._repr_html_()
    assert shown is not None
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><meta charset=utf-8><h1>notebook</h1>{shown}", encoding="utf-8")
    with reader(browser, notebook, **DESK) as page:
        expect(page.locator("li").first).to_contain_text("new: not")
        frame = page.frame_locator("iframe")
        expect(frame.locator(".card")).to_have_count(MANY)
        frame.get_by_label("Outcome").select_option("won")
        expect(frame.locator(".card")).to_have_count(3)
        expect(frame.locator(".card img").first).to_be_visible()
        assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    assert '"left_out"' not in unescape(shown)
