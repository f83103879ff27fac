"""Truth and answer of labelled pictures side by side, the right ones marked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onelook.cli.results import NARROW, below_name
from onelook.lab.scores import LabelledResult
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import least_confidence
from onelook.types import Answer, Language


def shown_album(
    answered: Sequence[LabelledResult], taxonomy: Taxonomy, language: Language, width: int
) -> RenderableType:
    """A table, and in a terminal of few columns a list; the confidence is that of the least sure label."""
    return (album_list if width < NARROW else album_table)(answered, taxonomy, language)


def album_list(answered: Sequence[LabelledResult], taxonomy: Taxonomy, language: Language) -> RenderableType:
    lines: list[RenderableType] = []
    for each in answered:
        sure = _least_sure(each)
        figures = "  ".join(filter(None, (sure and f"least sure {sure}", f"{_seconds(each)} s")))
        lines += [
            Text.assemble(_mark(each), " ", (each.name, "bold"), "  ", (figures, "bright_black")),
            below_name(Text.assemble(("truth  ", "bright_black"), _words(each.truth, taxonomy, language))),
            below_name(Text.assemble(("answer ", "bright_black"), _answer(each, taxonomy, language))),
        ]
    return Group(*lines)


def album_table(answered: Sequence[LabelledResult], taxonomy: Taxonomy, language: Language) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "picture", "truth", "answer"):
        table.add_column(column, overflow="fold")
    for column in ("least sure", "s"):
        table.add_column(column, justify="right")
    for each in answered:
        truth, answer = _words(each.truth, taxonomy, language), _answer(each, taxonomy, language)
        table.add_row(_mark(each), each.name, truth, answer, _least_sure(each), _seconds(each))
    return table


def _mark(each: LabelledResult) -> Text:
    return Text("✓", style="green") if each.record_right else Text("✗", style="red")


def _least_sure(each: LabelledResult) -> str:
    """The least confidence of all labels, absent ones too: a category that is sure says nothing of its details."""
    result = each.result
    options = [tag for found in (result.details, result.absences) for tags in found.values() for tag in tags]
    least = None if result.category is None else least_confidence([result.category, *options])
    return "" if least is None else f"{least:.0%}"


def _seconds(each: LabelledResult) -> str:
    wall_ms = each.result.ledger.wall_ms
    return "" if wall_ms is None else f"{wall_ms / 1000:.2f}"


def _answer(each: LabelledResult, taxonomy: Taxonomy, language: Language) -> Text:
    if each.answer is None:
        return Text("; ".join(error.message for error in each.result.errors), style="red")
    return Text(_words(each.answer, taxonomy, language))


def _words(answer: Answer, taxonomy: Taxonomy, language: Language) -> str:
    category = taxonomy.categories[answer.category]
    values = [
        "+".join(category.details[attribute].options[option][language] for option in options) or "-"
        for attribute, options in answer.details.items()
    ]
    return " ".join([category.label[language], *values])
