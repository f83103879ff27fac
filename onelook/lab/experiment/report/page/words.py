"""Text in English and Chinese: both are in the page, and its language decides which one is shown."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup


class Both(NamedTuple):
    """A text in both languages. In HTML it becomes two spans, of which the style sheet shows one."""

    en: str
    zh: str

    def __html__(self) -> str:
        return self.as_tag("span")

    def as_tag(self, tag: str) -> Markup:
        """`tag`: span in HTML, tspan in SVG. A text that is the same in both languages is there once."""
        if self.en == self.zh:
            return Markup("{}").format(self.en)
        pair = '<{tag} class="en" lang="en">{en}</{tag}><{tag} class="zh" lang="zh-CN">{zh}</{tag}>'
        return Markup(pair).format(tag=tag, en=self.en, zh=self.zh)  # noqa: S704


def both(en: str, zh: str | None = None) -> Both:
    """Without `zh`, a text that is no language's: a name, a number."""
    return Both(en, en if zh is None else zh)
