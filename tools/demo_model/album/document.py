"""Documents: a letter, a receipt or a form, scanned or photographed on a table; with the contents that its labels name.

A table has ruled columns (rows of prices or fields alone do not count), a signature is written by hand (an empty line
does not count), a stamp is round and coloured, a title is large, bold and in the middle. On the finest pages, rules and
pens are thinner than a pixel of the reduced picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageDraw

from tools.demo_model.album.canvas import OVERSAMPLING, Canvas
from tools.demo_model.album.figures.plants import POTTED
from tools.demo_model.album.figures.tableware import coffee, mug
from tools.demo_model.album.page import PEN_INKS, Page, paper
from tools.demo_model.album.palette import BLACK, INK, darker, lighter, vivid
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.room import studio, table
from tools.demo_model.album.truth import Brief
from tools.demo_model.album.words import FIELDS, GOODS, NAMES, date, line_of_words, price

# Height of a line of text by the width of its page, from coarse to fine.
LINE = {"letter": (0.036, 0.0075), "receipt": (0.06, 0.013), "form": (0.036, 0.008)}
# Height of the page by its width.
SHAPE = {"letter": (1.3, 1.45), "receipt": (1.75, 2.3), "form": (1.3, 1.45)}


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    kind, contains = brief.details["kind"][0], brief.details["contains"]
    scanned = rng.whether(0.4)
    if scanned:
        tone = rng.between(150, 245)
        canvas.rectangle(0, 0, canvas.width, canvas.height, (round(tone), round(tone), round(tone)))
    elif rng.whether(0.7):
        table(canvas, rng, canvas.height * rng.between(-0.1, 0.12))
        _beside(canvas, rng)
    else:
        studio(canvas, rng)

    shape = rng.between(*SHAPE[kind])
    fill = rng.between(0.96, 1.0) if scanned else rng.between(0.72, 0.95)
    width = min(canvas.width, canvas.height / shape) * fill
    turn = rng.between(-1.5, 1.5) if scanned else rng.between(-7, 7)
    sheet = Canvas.blank(round(width * shape * canvas.unit / OVERSAMPLING), 1 / shape, paper(rng))
    coarse, fine = LINE[kind]
    line = coarse * (fine / coarse) ** brief.fineness
    page = Page(sheet, rng, line, rng.between(0.07, 0.11), 0.07)
    {"letter": _letter, "receipt": _receipt, "form": _form}[kind](page, contains)
    sheet.shows("kind", (0, 0, sheet.width, sheet.height))
    _lay(canvas, sheet, turn)
    return f"{'scanned' if scanned else 'photographed'}, line {line:.3f}"


def _lay(canvas: Canvas, page: Canvas, turn: float) -> None:
    """Put the page on the picture, turned about the middle, over its shadow."""
    sheet = page.image
    turned = sheet.rotate(turn, Image.Resampling.BILINEAR, expand=True)
    mask, angle = Image.new("L", turned.size), math.radians(turn)
    half_x, half_y = sheet.width / 2 - 2, sheet.height / 2 - 2  # within the soft edge of the turned page
    corners = [(x * half_x, y * half_y) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    outline = [
        (
            turned.width / 2 + x * math.cos(angle) + y * math.sin(angle),
            turned.height / 2 - x * math.sin(angle) + y * math.cos(angle),
        )
        for x, y in corners
    ]
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    at = (canvas.image.width - turned.width) // 2, (canvas.image.height - turned.height) // 2
    drop = round(0.012 * canvas.unit)
    canvas.image.paste(
        darker((110, 110, 110), 0.2), (at[0] + drop, at[1] + drop), mask.point(lambda cover: cover * 0.45)
    )
    canvas.image.paste(turned, at, mask)
    high = sheet.height / sheet.width
    middle = canvas.at(canvas.width / 2, canvas.height / 2, sheet.width / canvas.unit, angle=-turn)
    for seen in page.evidence:
        left, top, right, bottom = seen.box
        box = left - 0.5, (top - 0.5) * high, right - 0.5, (bottom - 0.5) * high
        middle.shows(seen.attribute, box, seen.option)


def _beside(canvas: Canvas, rng: Rng) -> None:
    """A cup, a plant or a pen beside the page."""
    x, y = rng.pick((0.1, canvas.width - 0.1)), canvas.height * rng.between(0.3, 0.95)
    kind = rng.pick(("cup", "plant", "pen", "nothing"))
    if kind == "cup":
        mug(canvas.at(x, y, 0.3), rng, 0.7, coffee(rng, 0.7))
    elif kind == "plant":
        rng.pick(POTTED)(canvas.at(x, y, 0.45), rng)
    elif kind == "pen":
        pen = canvas.at(x, y, angle=rng.between(-40, 40))
        pen.limb((0, -0.3), (0, 0.12), 0.03, 0.03, vivid(rng))
        pen.polygon([(-0.014, 0.12), (0.014, 0.12), (0, 0.18)], BLACK)


def _letter(page: Page, contains: tuple[str, ...]) -> None:
    rng, line, height = page.rng, page.line, page.canvas.height
    if "title" in contains:
        page.title()
    else:
        for words in (rng.pick(NAMES), line_of_words(rng, 0.4, line)):
            page.write(words)
    page.write(date(rng), x=page.right, anchor="ra")
    page.y += line
    page.write(f"Dear {rng.pick(NAMES)},")
    page.y += line * 0.5
    unspaced = "signature" not in contains and rng.whether(0.4)
    signing = line * 0.6 if unspaced else max(line * 2.6, 0.06)
    end = height - 0.11 - line * 2.6 - signing
    rows = rng.count(2, 4)
    columns = _columns(page, contains)
    while page.y + line * 3 < end:
        room = end - page.y
        if columns and room < line * 1.5 * (rows + 1) + line * 6:
            columns(rows)
            columns = None
            continue
        page.paragraph(
            max(1, min(rng.count(2, 5), int(room / (line * 1.4)) - (int(1.6 * (rows + 1)) + 1 if columns else 0)))
        )
        if columns and rng.whether(0.5):
            columns(rows)
            columns = None
    page.y = end
    page.write("Yours sincerely,")
    if "signature" in contains:
        page.signature(page.margin + 0.02, page.y + signing * 0.72, max(0.05, line * 5))
    page.y += signing
    page.write(rng.pick(NAMES))
    if "stamp" in contains:
        page.stamp(rng.between(0.66, 0.8), height - rng.between(0.18, 0.24), max(0.022, line * 2.6))


def _columns(page: Page, contains: tuple[str, ...]) -> Callable[[int], None] | None:
    """The columns between the words: a table, or, often if there is none, a list of prices."""
    if "table" in contains:
        return page.table
    return page.prices if page.rng.whether(0.5) else None


def _receipt(page: Page, contains: tuple[str, ...]) -> None:
    rng, line, canvas = page.rng, page.line, page.canvas
    page.y = 0.06
    if "title" in contains:
        page.title()
    for words in (line_of_words(rng, 0.5, line), date(rng)):
        page.write(words, x=0.5, anchor="ma", size=0.85)
    page.y += line * 0.6
    foot = 0.34 + (0.2 if "signature" in contains else 0.0)
    rows = max(2, int((canvas.height - foot - page.y - line * 4.5) / (line * 1.5)))
    if "table" in contains:
        page.table(rows - 1)
    else:
        _dashes(page)
        for _ in range(rows):
            page.put(page.right, page.y, price(rng), anchor="ra")
            page.write(rng.pick(GOODS))
        page.y += line * 0.2
    _dashes(page)
    page.put(page.right, page.y, price(rng), anchor="ra", size=1.2, bold=True)
    page.write("TOTAL", size=1.2, bold=True)
    page.write("Card")
    if "signature" in contains:
        page.signature(0.3, canvas.height - foot + 0.14, max(0.09, line * 5))
    _barcode(page, canvas.height - 0.26)
    if "stamp" in contains:
        page.stamp(rng.between(0.28, 0.72), canvas.height - foot - rng.between(0.16, 0.5), max(0.035, line * 2.4))
    for step in range(24):
        x = step / 24
        canvas.polygon(
            [(x, canvas.height), (x + 1 / 48, canvas.height - 0.03), (x + 1 / 24, canvas.height)], (150, 150, 150)
        )


def _dashes(page: Page) -> None:
    for step in range(20):
        x = page.margin + (page.right - page.margin) * step / 20
        page.rule(page.y, x, x + (page.right - page.margin) / 32, weight=0.08)
    page.y += page.line * 0.5


def _barcode(page: Page, y: float) -> None:
    x = 0.2
    while x < 0.8:
        wide = page.rng.pick((0.008, 0.012, 0.02))
        page.canvas.rectangle(x, y, x + wide, y + 0.14, INK)
        x += wide + page.rng.pick((0.008, 0.014))
    page.put(0.5, y + 0.15, "".join(str(page.rng.count(0, 9)) for _ in range(12)), anchor="ma", size=0.7)


def _form(page: Page, contains: tuple[str, ...]) -> None:
    rng, line, canvas = page.rng, page.line, page.canvas
    boxed, pen = rng.whether(0.6), rng.pick(PEN_INKS)
    if "title" in contains:
        page.title()
    page.write(line_of_words(rng, 0.7, line), size=0.9)
    page.y += line * 0.4
    bottom = canvas.height - 0.08 - max(0.1, line * 4)
    rows = rng.count(2, 4)
    columns = _columns(page, contains)
    fields_end = bottom - (line * 1.5 * (rows + 2) if columns else 0) - line * 2
    names = rng.several(FIELDS, len(FIELDS))
    number, step = 0, line * (2.0 if boxed else 1.9)
    while page.y + step < fields_end:
        _field(page, names[number % len(names)], page.margin, page.right, boxed=boxed)
        if rng.whether(0.7):
            canvas.text(page.margin + line * 5.4, page.y + line * 0.2, rng.pick(NAMES), line, pen)
        page.y += step
        number += 1
    _ticks(page)
    if columns:
        columns(rows)
    page.put(page.margin, canvas.height - 0.08 - line, "Signature")
    start = page.margin + line * 5
    page.rule(canvas.height - 0.08, start, start + 0.34)
    if "signature" in contains:
        page.signature(start + 0.02, canvas.height - 0.1, max(0.05, line * 5))
    if "stamp" in contains:
        page.stamp(rng.between(0.78, 0.84), canvas.height - rng.between(0.15, 0.2), max(0.022, line * 2.4))


def _field(page: Page, name: str, x0: float, x1: float, *, boxed: bool) -> None:
    line, y = page.line, page.y
    page.put(x0, y + line * 0.2, name)
    if boxed:
        page.canvas.rectangle(x0 + line * 5, y, x1, y + line * 1.5, darker((200, 204, 212), 0.35))
        page.canvas.rectangle(
            x0 + line * 5 + 0.005, y + 0.005, x1 - 0.005, y + line * 1.5 - 0.005, lighter((236, 240, 248), 0.4)
        )
    else:
        page.rule(y + line * 1.35, x0 + line * 5, x1, weight=0.07)


def _ticks(page: Page) -> None:
    """A row of boxes to tick."""
    line, room = page.line, (page.right - page.margin) / 3
    for column, words in enumerate(page.rng.several(GOODS, 3)):
        x, y = page.margin + room * column, page.y + line * 0.3
        page.canvas.rectangle(x, y, x + line, y + line, INK)
        page.canvas.rectangle(x + line * 0.12, y + line * 0.12, x + line * 0.88, y + line * 0.88, (252, 252, 252))
        if page.rng.whether(0.5):
            page.canvas.line(
                [(x + line * 0.2, y + line * 0.5), (x + line * 0.45, y + line * 0.8), (x + line * 0.9, y)],
                line * 0.14,
                INK,
            )
        page.put(x + line * 1.4, y, words)
    page.y += line * 2
