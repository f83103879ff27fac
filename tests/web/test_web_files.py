"""The files of the page."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.web.visitor import visit

WEB = Path(__file__).parent.parent.parent / "onelook" / "web"
TEXTS = sorted(WEB.glob("*.*"))


def words(language: str) -> dict[str, str]:
    source = (WEB / f"words.{language}.js").read_text(encoding="utf-8")
    found = re.findall(r'^ +"?([\w.]+)"?:\s*"(.*)",$', source, flags=re.MULTILINE)
    assert len(found) == source.count('",\n')
    return dict(found)


def test_both_languages_have_the_same_words() -> None:
    english, chinese = words("en"), words("zh")
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", chinese[key])), key


def test_every_text_key_exists() -> None:
    known = words("en")
    for path in TEXTS:
        for key in re.findall(r'(?:\bsay\(|data-say(?:-label)?=)"([\w.]+)"', path.read_text(encoding="utf-8")):
            assert key in known, (path.name, key)


def test_the_policy_allows_only_the_servers_own_files(site_url: str) -> None:
    answer = httpx.get(f"{site_url}/")
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"


@pytest.mark.parametrize("path", TEXTS, ids=[path.name for path in TEXTS])
def test_every_file_has_its_media_type(path: Path, site_url: str) -> None:
    answer = httpx.get(f"{site_url}/static/{path.name}")
    assert answer.status_code == httpx.codes.OK
    types = {".js": "javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    assert types[path.suffix] in answer.headers["Content-Type"]


def test_an_inline_script_does_not_run(browser: Browser, site_url: str) -> None:
    """The browser enforces the policy; the console errors of a violation would fail the tests."""
    with visit(browser, site_url) as visitor:
        visitor.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'x = 1'}))")
        assert visitor.page.evaluate("typeof x") == "undefined"
        assert any("Content Security Policy" in parse_error for parse_error in visitor.complaints)
