"""A result as HTML for notebooks: no scripts, nothing loaded from elsewhere, colours that suit light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from onelook.ledger.model import Ledger
from onelook.ledger.phases import phases
from onelook.types import Tag

if TYPE_CHECKING:
    from onelook.result import TagResult

STATUS = {"ok": ("✓ ok", "#2e8b57"), "needs_review": ("? needs review", "#b8860b"), "failed": ("✗ failed", "#c0392b")}
BAR, NODE, SPAN, PHASE = "#4682b4", "#4682b4", "#8fa9bf", "#c08040"
CELL = "padding:1px 8px 1px 0;text-align:left;vertical-align:middle;border:none;background:transparent"
TRACK = "position:relative;height:8px;background:rgba(128,128,128,.18);border-radius:2px"


def render(result: TagResult, pictures: Sequence[str]) -> str:
    """`pictures`: data URLs, shown beside the tags."""
    status, colour = STATUS[result.status]
    shown = "".join(
        f'<img src="{escape(url)}" alt="{escape(result.source or "picture")}" style="max-width:256px;max-height:256px;'
        'display:block;margin:0 0 4px 0">'
        for url in pictures
    )
    wall_ms = result.ledger.wall_ms
    facts = [result.model, result.arm, result.language, *([] if wall_ms is None else [f"{wall_ms / 1000:.2f} s"])]
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start;font-size:13px">'
        + (f"<div>{shown}</div>" if shown else "")
        + f'<div style="min-width:320px"><div><b>{escape(result.source or "")}</b> '
        f'<span style="color:{colour}">{status}</span></div>'
        + _tags(result)
        + "".join(_error(error.kind, error.message, error.hint) for error in result.errors)
        + _waterfall(result.ledger)
        + f'<div style="opacity:.7">{escape(" · ".join(facts))}</div></div></div>'
    )


def _table(rows: Iterator[str] | Sequence[str]) -> str:
    return f'<table style="border-collapse:collapse;margin:6px 0;border:none">{"".join(rows)}</table>'


def _row(*cells: str) -> str:
    return (
        '<tr style="background:transparent">' + "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells) + "</tr>"
    )


def _tags(result: TagResult) -> str:
    if result.category is None:
        return ""
    rows = [_row("category", *_tag(result.category, bold=True))]
    for attribute, tags in result.details.items():
        for number, tag in enumerate(tags):
            rows.append(_row("" if number else escape(attribute), *_tag(tag)))
        if not tags:
            rows.append(_row(escape(attribute), "—", "", ""))
    return _table(rows)


def _tag(tag: Tag, *, bold: bool = False) -> tuple[str, str, str]:
    label = escape(tag.label) if tag.label == tag.id else f"{escape(tag.label)} <small>{escape(tag.id)}</small>"
    confidence = tag.confidence
    bar = "" if confidence is None else _bar(0, confidence, 120, BAR)
    return f"<b>{label}</b>" if bold else label, bar, "" if confidence is None else f"{confidence:.0%}"


def _error(kind: str, message: str, hint: str | None) -> str:
    return (
        f'<div style="color:{STATUS["failed"][1]}">{escape(kind)}: {escape(message)}'
        + (f"<br><small>{escape(hint)}</small>" if hint else "")
        + "</div>"
    )


def _waterfall(ledger: Ledger) -> str:
    """One row a node, below it its spans, and below an engine's span the phases that the engine reports."""
    whole_ms = ledger.wall_ms or max((node.end_ms for node in ledger.nodes), default=0.0)
    if whole_ms <= 0:
        return ""

    def line(name: str, start_ms: float, end_ms: float, colour: str, level: int) -> str:
        bar = _bar(start_ms / whole_ms, end_ms / whole_ms, 240, colour)
        label = f'<span style="padding-left:{level}em">{escape(name)}</span>'
        return _row(label, bar, f"{end_ms - start_ms:.1f} ms")

    def lines() -> Iterator[str]:
        for node in ledger.nodes:
            tries = f" ({node.attempts} attempts)" if node.attempts > 1 else ""
            yield line(node.name + tries, node.start_ms, node.end_ms, NODE, 0)
            for inner in node.spans:
                yield line(inner.name, inner.start_ms, inner.end_ms, SPAN, 1)
                for name, start_ms, end_ms in phases(inner):
                    yield line(name.replace("_", " "), start_ms, end_ms, PHASE, 2)
        if ledger.scheduling_overhead_ms is not None:
            yield _row("scheduling", "", f"{ledger.scheduling_overhead_ms:.1f} ms")
            yield _row("<b>wall</b>", "", f"{whole_ms:.1f} ms")

    return _table(lines())


def _bar(start: float, end: float, width: int, colour: str) -> str:
    """A bar from `start` to `end`, shares of a track of `width` pixels."""
    left = min(max(start, 0.0), 1.0)
    length = max(min(end, 1.0) - left, 0.0)
    return (
        f'<div style="{TRACK};width:{width}px"><div style="position:absolute;left:{left:.2%};width:{length:.2%};'
        f'min-width:1px;height:8px;background:{colour};border-radius:2px"></div></div>'
    )
