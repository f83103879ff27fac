"""The contact sheet in a real browser, opened as a file: what a person finds, on a desk and on a phone."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from onelook.batch.export.batch import Batch
from onelook.batch.export.columns import Choices
from onelook.batch.export.sheet import SheetChoices, write_sheet
from onelook.batch.export.thumbnails import thumbnail
from onelook.images.limits import Limits
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.process import load_settings
from onelook.types import Tag
from tests.batch.ledgers import TAXONOMY, Case, answer, failure, write_batch
from tests.web.browser import chromium
from tests.web.visitor import Visitor, opened

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>'\"$style.jpg"

browser_test = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def paint(folder: Path, name: str | bytes, colour: str, size: tuple[int, int] = (400, 300)) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name if isinstance(name, str) else folder / name.decode(errors="surrogateescape")
    Image.new("RGB", size, colour).save(path, "JPEG")
    return str(path)


def sheet_of(folder: Path, *, size: int | None = 160, choices: Choices | None = None) -> Path:
    out = folder.parent / f"{folder.name}.html"
    sheet = SheetChoices(size, Limits.of(load_settings()))
    write_sheet(Batch.read(folder), out, choices or Choices(), sheet)
    return out


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures, and one of each outcome."""
    top = tmp_path_factory.mktemp("sheet")
    photos = top / "photos"
    selfie = answer(
        "portrait", 0.97, gender={"female": 0.91}, composition={"selfie": 0.9, "group": 0.8}, mood={"happy": 0.99}
    )
    cases = [
        Case(paint(photos, "自拍.jpg", "orange"), selfie),
        Case(paint(photos, "cat.jpg", "teal"), answer("animal", species={"cat": 0.98}), data=b"cat"),
        Case(paint(photos, "copy.jpg", "teal"), answer("animal", species={"cat": 0.98}), data=b"cat"),
        Case(paint(photos, "dog.jpg", "brown"), answer("animal", 0.7, status="needs_review", species={"dog": 0.4})),
        Case(str(photos / "gone.jpg"), failure("ImageNotFound", "gone.jpg: no such file")),
        Case(paint(photos, HOSTILE.replace("/", "∕"), "red"), answer("plant")),
        Case(paint(photos, b"caf\xe9.jpg", "blue"), answer("building")),
        Case("https://example.org/a.jpg", None),
    ]
    write_batch(top / "tags", cases, made_from={"arm": "fused", "model": {"name": "onelook-demo"}})
    return sheet_of(top / "tags")


@contextmanager
def reader(browser: Browser, file: Path, **options: Any) -> Iterator[Visitor]:
    """A person who has opened the file. The test fails if the page logs an error, or asks a host for anything."""
    with opened(browser, file.as_uri(), **options) as visitor:
        visitor.page.goto(file.as_uri())
        visitor.page.locator(".card, #none").first.wait_for()
        yield visitor
    assert visitor.complaints == []


def cards(page: Page) -> Locator:
    return page.locator(".card")


def names(page: Page) -> list[str]:
    return page.locator(".card .name").all_inner_texts()


@browser_test
def test_the_page_shows_every_picture_with_its_tags(browser: Browser, page_file: Path) -> None:
    with reader(browser, page_file, **DESK) as visitor:
        page = visitor.page
        expect(page.get_by_role("heading", level=1)).to_have_text("tags, version @1")
        expect(page.locator("#about")).to_have_text("onelook-demo · 1 failed · 1 to review · 1 to do")
        expect(page.locator("#count")).to_have_text("8 of 8 pictures")
        assert names(page)[:2] == ["自拍.jpg", "cat.jpg"]
        expect(cards(page).first).to_contain_text("portrait")
        expect(cards(page).first).to_contain_text("female · selfie · group · happy")
        expect(cards(page).nth(4)).to_contain_text("gone.jpg: no such file")
        expect(cards(page).nth(4).locator(".thumb")).to_have_text("no thumbnail")
        size = cards(page).first.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]")
        assert size == [160, 120]


@browser_test
def test_filters_leave_what_they_say(browser: Browser, page_file: Path) -> None:
    with reader(browser, page_file, **DESK) as visitor:
        page = visitor.page
        page.get_by_label("Category").select_option("animal")
        assert names(page) == ["cat.jpg", "copy.jpg", "dog.jpg"]
        page.get_by_label("species").select_option("dog")
        assert names(page) == ["dog.jpg"]
        page.get_by_label("Category").select_option("portrait")
        page.get_by_label("composition").select_option("group")
        assert names(page) == ["自拍.jpg"]
        page.get_by_role("button", name="Reset").click()
        expect(page.locator("#count")).to_have_text("8 of 8 pictures")
        page.get_by_label("Status").select_option("failed")
        assert names(page) == ["gone.jpg"]
        page.get_by_label("Status").select_option("needs_review")
        assert names(page) == ["dog.jpg"]
        page.get_by_label("Status").select_option("")
        page.get_by_role("slider", name="Least confidence").fill("90")
        assert names(page) == ["自拍.jpg", "dog.jpg"]
        page.get_by_label("Order").select_option("unsure")
        assert names(page) == ["dog.jpg", "自拍.jpg"]
        page.get_by_label("Path contains").fill("nothing is called so")
        expect(page.locator("#none")).to_be_visible()


@browser_test
def test_the_list_of_paths_is_what_the_filters_leave(browser: Browser, page_file: Path, tmp_path: Path) -> None:
    with reader(browser, page_file, **DESK) as visitor:
        visitor.page.get_by_label("Status").select_option("needs_review")
        with visitor.page.expect_download() as download:
            visitor.page.get_by_role("button", name="Save the paths").click()
        download.value.save_as(tmp_path / "paths.txt")
    assert (tmp_path / "paths.txt").read_text(encoding="utf-8").endswith("/photos/dog.jpg\n")


@browser_test
def test_it_is_used_with_the_keyboard_alone(browser: Browser, page_file: Path) -> None:
    with reader(browser, page_file, **DESK) as visitor:
        page = visitor.page
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(cards(page).first).to_be_focused()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="cat.jpg")
        expect(dialog).to_contain_text("cat 98%")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("dialog", name="copy.jpg")).to_contain_text("Same bytes as2")
        page.keyboard.press("Escape")
        expect(page.locator(".card[data-index='2']")).to_be_focused()
        page.keyboard.press("End")
        expect(page.locator(".card[data-index='7']")).to_be_focused()
        assert page.locator(".card[tabindex='0']").count() == 1


@browser_test
def test_the_details_lead_to_the_original(browser: Browser, page_file: Path) -> None:
    with reader(browser, page_file, **DESK) as visitor:
        page = visitor.page
        links = []
        for index in (0, 6, 7):
            cards(page).nth(index).click()
            links.append(page.get_by_role("link", name="Open the picture").get_attribute("href"))
            page.get_by_role("button", name="Close").click()
    assert links[0] == (page_file.parent / "photos" / "自拍.jpg").as_uri()
    assert str(links[1]).endswith("/photos/caf%E9.jpg"), "the bytes of its name, which are no UTF-8"
    assert links[2] == "https://example.org/a.jpg"


@browser_test
def test_names_and_labels_are_text_and_never_markup(browser: Browser, page_file: Path, tmp_path: Path) -> None:
    with reader(browser, page_file, **DESK) as visitor:
        page = visitor.page
        assert HOSTILE.replace("/", "∕") in page.locator(".card .name").nth(5).inner_text()
        cards(page).nth(5).click()
        assert page.title() == "tags, version @1 · onelook"
        assert page.locator("img[src='x']").count() == 0
    assert page_file.read_text(encoding="utf-8").count("<script") == 4, "rows, batch, thumbnails and the page's own"
    mean = "<img src=x onerror=document.title=1></script>"
    document = {
        "name": "mean",
        "categories": {
            "a": {"label": {"en": mean}, "when": {"en": "x"}},
            "b": {"label": {"en": "b"}, "when": {"en": "y"}},
        },
    }
    taxonomy = Taxonomy.model_validate({**document, "languages": ["en"]})
    result = answer("portrait").model_copy(update={"category": Tag(id="a", label=mean, confidence=0.9)})
    write_batch(tmp_path / mean.replace("/", "∕"), [Case("/a.jpg", result)], taxonomy=taxonomy)
    with reader(browser, sheet_of(tmp_path / mean.replace("/", "∕")), **DESK) as visitor:
        expect(cards(visitor.page).first).to_contain_text(mean)
        assert visitor.page.title().endswith("· onelook")


@browser_test
def test_a_script_that_is_not_the_pages_own_does_not_run(browser: Browser, page_file: Path, tmp_path: Path) -> None:
    """Whatever gets into the page: its policy allows the script with one hash, and no host."""
    changed = tmp_path / "changed.html"
    added = "<script>document.title = 'owned'</script><img src='https://example.org/x.png'></body>"
    changed.write_text(page_file.read_text(encoding="utf-8").replace("</body>", added), encoding="utf-8")
    with opened(browser, changed.as_uri(), **DESK) as visitor:
        visitor.page.goto(changed.as_uri())
        visitor.page.locator(".card").first.wait_for()
        assert visitor.page.title() == "tags, version @1 · onelook"
    refused = [each for each in visitor.complaints if "Content Security Policy" in each]
    assert len(refused) == 2


@browser_test
@pytest.mark.parametrize("manner", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, page_file: Path, manner: dict[str, Any], scheme: str) -> None:
    with reader(browser, page_file, **manner, color_scheme=scheme) as visitor:
        page = visitor.page
        page.get_by_label("Category").select_option("animal")
        found = [Axe().run(page)]
        cards(page).last.click()
        found.append(Axe().run(page))
        assert [each.generate_report() for each in found if each.violations_count] == []
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, "nothing to scroll sideways"


@browser_test
def test_it_speaks_chinese_and_keeps_the_filters(browser: Browser, page_file: Path) -> None:
    with reader(browser, page_file, **PHONE, locale="zh-CN") as visitor:
        page = visitor.page
        expect(page.locator("#count")).to_have_text("8 张图片中的 8 张")
        page.get_by_label("类别").select_option("animal")
        page.get_by_label("物种").select_option("dog")
        expect(cards(page).first).to_contain_text("动物")
        page.get_by_role("button", name="English").click()
        expect(page.locator("#count")).to_have_text("1 of 8 pictures")
        expect(cards(page).first).to_contain_text("animal")
        assert page.locator("html").get_attribute("lang") == "en"


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 10,000 pictures with their thumbnails; the pictures are 60 files under many names."""
    top = tmp_path_factory.mktemp("large")
    photos = top / "photos"
    photos.mkdir()
    rng = random.Random(7)  # noqa: S311 - colours
    for number in range(60):
        noise = Image.effect_noise((60, 45), 90).resize((240, 180), Image.Resampling.BICUBIC).convert("RGB")
        tint = Image.new("RGB", noise.size, tuple(rng.randrange(256) for _ in range(3)))
        Image.blend(noise, tint, 0.6).save(photos / f"{number}.jpg", quality=80)
    categories = list(TAXONOMY.categories)
    cases = []
    for number in range(10_000):
        path = photos / f"{number}.jpg"
        if not path.exists():
            path.hardlink_to(photos / f"{number % 60}.jpg")
        category = categories[number % len(categories)]
        details = {
            name: (Tag(id=next(iter(attribute.options)), label="", confidence=round(rng.random(), 3)),)
            for name, attribute in TAXONOMY.categories[category].details.items()
        }
        cases.append(Case(str(path), answer(category, 0.9).model_copy(update={"details": details})))
    write_batch(top / "tags", cases)
    return sheet_of(top / "tags")


@browser_test
def test_ten_thousand_pictures_are_a_few_hundred_elements(browser: Browser, ten_thousand: Path) -> None:
    assert ten_thousand.stat().st_size < 60_000_000
    with reader(browser, ten_thousand, **DESK) as visitor:
        page = visitor.page
        expect(page.locator("#count")).to_have_text("10,000 of 10,000 pictures")
        assert page.locator("body *").count() < 1500
        cards(page).first.focus()
        page.keyboard.press("End")
        last = page.locator(".card[data-index='9999']")
        expect(last).to_be_focused()
        expect(last).to_be_in_viewport()
        expect(last).to_contain_text("9999.jpg")
        assert last.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 160
        assert page.locator("body *").count() < 1500
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        middle = page.locator(".card", has_text=re.compile(r"\b50\d\d\.jpg")).first
        expect(middle).to_be_in_viewport()
        page.get_by_label("Path contains").fill("/77.jpg")
        expect(page.locator("#count")).to_have_text("1 of 10,000 pictures")


def test_the_same_bytes_have_one_thumbnail(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    (rows,) = re.findall(r'id="rows">(.*?)</script>', text, re.DOTALL)
    (block,) = re.findall(r'id="thumbnails-0">(.*?)</script>', text, re.DOTALL)
    numbers = [row[-1] for row in json.loads(rows)]
    assert numbers == [0, 1, 1, 2, 3, 4, 5, None]
    assert [data is None for data in json.loads(block)] == [False, False, False, True, False, False]


def test_a_page_without_thumbnails_reads_no_picture(page_file: Path) -> None:
    out = sheet_of(page_file.parent / "tags", size=None)
    assert "thumbnails-0" not in out.read_text(encoding="utf-8")
    sheet_of(page_file.parent / "tags")


def test_a_thumbnail_is_upright_and_small(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1200, 800), "teal").save(tmp_path / "turned.jpg", exif=exif)
    data = thumbnail(str(tmp_path / "turned.jpg"), Limits.of(load_settings()), 96)
    assert data is not None
    with Image.open(BytesIO(data)) as image:
        assert (image.format, image.size) == ("WEBP", (64, 96))


def test_nothing_is_shown_of_what_is_no_picture(tmp_path: Path) -> None:
    limits = Limits.of(load_settings())
    (tmp_path / "notes.jpg").write_text("not a picture")
    for place in (str(tmp_path / "notes.jpg"), str(tmp_path / "gone.jpg"), str(tmp_path), "https://example.org/a.jpg"):
        assert thumbnail(place, limits, 96) is None
