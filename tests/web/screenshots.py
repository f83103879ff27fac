"""Take the pictures of the page that the documentation shows: `python -m tests.web.screenshots`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from tests.web.browser import chromium
from tests.web.site import ROOT, site
from tests.web.visitor import visit

OLD_AND_NEW = ("fused", "legacy")
DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SHOTS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "page": ({**DESK, "color_scheme": "light", "locale": "en-US"}, OLD_AND_NEW),
    "page-dark": ({**DESK, "color_scheme": "dark", "locale": "zh-CN"}, (*OLD_AND_NEW, "reads", "legacy_shared")),
    "page-phone": ({**PHONE, "color_scheme": "light", "locale": "zh-CN"}, OLD_AND_NEW),
}


def main() -> None:
    with TemporaryDirectory() as folder, site(Path(folder) / "server.log") as url, chromium() as browser:
        for name, (manner, arms) in SHOTS.items():
            with visit(browser, url, reduced_motion="reduce", **manner) as visitor:
                visitor.choose_sample(3)
                visitor.choose_arms(*arms)
                visitor.look()
                visitor.measure()
                page = visitor.page
                page.mouse.move(0, 0)
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": manner["viewport"]["width"], "height": height})
                shot = Image.open(BytesIO(page.screenshot()))
                shot.convert("RGB").quantize(256).save(ROOT / "docs" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
