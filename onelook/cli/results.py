"""Results for people: a table, and in a narrow terminal a list."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult
from onelook.types import Status, Tag

STATUS: dict[Status, tuple[str, str]] = {
    "ok": ("✓ ok", "green"),
    "needs_review": ("? review", "yellow"),
    "failed": ("✗ failed", "red"),
}


NARROW = 72  # columns, in which five columns of text cannot be read


def shown_results(results: Sequence[tuple[str, TagResult]], taxonomy: Taxonomy, width: int) -> RenderableType:
    """The results of pictures, each with its name, in a terminal of `width` columns."""
    return (results_list if width < NARROW else results_table)(results, taxonomy)


def results_list(results: Sequence[tuple[str, TagResult]], taxonomy: Taxonomy) -> RenderableType:
    """What `results_table` shows, in a few lines for each picture, below its name."""
    lines: list[RenderableType] = []
    for name, result in results:
        status = _status(result)
        if result.category:
            status = Text.assemble(status, "  ", _tag(result.category))
        if seconds := _seconds(result):
            status.append(f"  {seconds} s", style="bright_black")
        below = [status]
        if words := _failures(result) if result.status == "failed" else _details(result, taxonomy):
            below.append(words)
        lines += [Text(name, style="bold"), *(below_name(each) for each in below)]
    return Group(*lines)


def below_name(words: Text) -> RenderableType:
    """A line of a list, and what it is folded to, below the name that it is about."""
    return Padding(words, (0, 0, 0, 2))


def results_table(results: Sequence[tuple[str, TagResult]], taxonomy: Taxonomy) -> Table:
    """One row a picture: its category and details with confidences, its status, and its time."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    table.add_column("picture", overflow="fold")
    table.add_column("category")
    table.add_column("details", overflow="fold")
    table.add_column("status")
    table.add_column("s", justify="right")
    for name, result in results:
        table.add_row(
            escape(name),
            _tag(result.category) if result.category else "",
            _failures(result) if result.status == "failed" else _details(result, taxonomy),
            _status(result),
            _seconds(result),
        )
    return table


def _seconds(result: TagResult) -> str:
    wall_ms = result.ledger.wall_ms
    return "" if wall_ms is None else f"{wall_ms / 1000:.2f}"


def _status(result: TagResult) -> Text:
    words, style = STATUS[result.status]
    looks = [name for name, taken in (("2nd look", result.first_look), ("specialist", result.escalation)) if taken]
    return Text(words + (f" ({', '.join(looks)})" if looks else ""), style=style)


def _tag(tag: Tag) -> Text:
    text = Text(tag.label)
    if tag.confidence is not None:
        text.append(f" {tag.confidence:.0%}", style="bright_black")
    return text


def _details(result: TagResult, taxonomy: Taxonomy) -> Text:
    text = Text()
    if result.category is None:
        return text
    attributes = taxonomy.categories[result.category.id].details
    for number, (attribute, tags) in enumerate(result.details.items()):
        text.append("; " if number else "")
        text.append(f"{attributes[attribute].label[result.language]} ", style="bright_black")
        text.append_text(Text(", ").join(_tag(tag) for tag in tags) if tags else Text("—"))
    return text


def _failures(result: TagResult) -> Text:
    text = Text()
    for error in result.errors:
        text.append(error.message, style="red")
        if error.hint:
            text.append(f"\n{error.hint}", style="bright_black")
    return text
