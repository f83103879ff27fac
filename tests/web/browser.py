"""The browser that is installed on this machine, driven by Playwright; Playwright's own browsers are downloads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from onelook.errors import EngineIncapable

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# A browser looks its maker's hosts up unless told otherwise; root has no sandbox to be had.
QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync")


def browser_path() -> Path:
    """ONELOOK_BROWSER, or the Chromium or Chrome that is installed.

    Raises:
        EngineIncapable: there is none.
    """
    named = os.environ.get("ONELOOK_BROWSER")
    found = named if named and Path(named).is_file() else None
    for name in () if named else NAMES:
        found = found or shutil.which(name)
    if found is None:
        raise EngineIncapable(
            f"no browser at {named}" if named else "no Chromium or Chrome is installed",
            hint="install one (`apt-get install chromium fonts-noto-cjk`), or name it in ONELOOK_BROWSER",
        )
    return Path(found)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else list(QUIET)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()
