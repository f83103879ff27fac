"""Take the picture of a report that the documentation shows: `python -m tests.lab.experiment.screenshot FOLDER`."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from onelook.lab.experiment.report.write import PAGE
from tests.web.browser import chromium
from tests.web.site import ROOT

WIDTH = 960
GAP = 18
HIGHEST = 560
"""Pixels of a part: of the gallery, its first row."""
SHOWN = (".hero", "[aria-labelledby=h-accuracy].panel", "[aria-labelledby=h-times].panel", "#gallery")


def main() -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 3000}, locale="en-US", color_scheme="light")
        page.goto((Path(sys.argv[1]).resolve() / PAGE).as_uri())
        page.wait_for_function("[...document.images].every(image => image.complete)")
        parts = [shot(page, name) for name in SHOWN]
    whole = Image.new("RGB", (1280, sum(part.height + GAP for part in parts) + GAP), "#f5f6f8")
    top = GAP
    for part in parts:
        whole.paste(part, ((1280 - part.width) // 2, top))
        top += part.height + GAP
    small = whole.resize((WIDTH, round(whole.height * WIDTH / whole.width)), Image.Resampling.LANCZOS)
    small.quantize(256).save(ROOT / "docs" / "experiment-report.png", optimize=True)


def shot(page: Page, name: str) -> Image.Image:
    part = Image.open(BytesIO(page.locator(name).screenshot())).convert("RGB")
    return part.crop((0, 0, part.width, min(part.height, HIGHEST)))


if __name__ == "__main__":
    main()
