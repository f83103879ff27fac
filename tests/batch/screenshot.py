"""Take the picture of the contact sheet that the documentation shows: `python -m tests.batch.screenshot`."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tests.web.browser import chromium
from tests.web.site import ROOT

ALBUM = ROOT / "tools" / "demo_model" / "heldout"
WIDTH = 960


def main() -> None:
    with TemporaryDirectory() as held, chromium() as browser:
        folder, sheet = Path(held) / "tags", Path(held) / "sheet.html"
        run = [sys.executable, "-m", "onelook", "batch"]
        subprocess.run([*run, "run", str(ALBUM), "--out", str(folder), "--language", "en"], check=True)
        subprocess.run([*run, "export", str(folder), "--out", str(sheet)], check=True)
        page = browser.new_page(viewport={"width": 1280, "height": 660}, locale="en-US", color_scheme="light")
        page.goto(sheet.as_uri())
        page.get_by_label("Category").select_option("animal")
        page.get_by_label("Order").select_option("unsure")
        page.mouse.move(0, 0)
        page.wait_for_function("[...document.images].every(image => image.complete)")
        shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
        small = shot.resize((WIDTH, round(shot.height * WIDTH / shot.width)), Image.Resampling.LANCZOS)
        small.quantize(128).save(ROOT / "docs" / "contact-sheet.png", optimize=True)


if __name__ == "__main__":
    main()
