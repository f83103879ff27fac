"""The latency ledger as bars on one time axis. Shapes carry the meaning, so it reads without colours too."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from onelook.ledger.model import Ledger, Span
from onelook.ledger.phases import phases

MOST_CELLS, LEAST_CELLS = 40, 12  # of a bar
OTHER_COLUMNS = 56  # of the terminal, for names, times and tokens
NODE = ("━", "cyan")
SPAN = ("─", "bright_black")
ENGINE = {
    "turn": ("·", "bright_black"),
    "switch": ("░", "red"),
    "throttle": ("░", "yellow"),
    "queue": ("·", "yellow"),
    "first_token": ("▒", "magenta"),
    "decode": ("█", "blue"),
}


def waterfall(ledger: Ledger, width: int) -> Table:
    """One row a node; below it one a span, and below the engine's span one for each stretch that the engine reports.

    `width`: the columns of the terminal.
    """
    cells = max(LEAST_CELLS, min(MOST_CELLS, width - OTHER_COLUMNS))
    whole_ms = ledger.wall_ms or max((node.end_ms for node in ledger.nodes), default=0.0)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("where", no_wrap=True)
    table.add_column("when", width=cells, no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("tokens", style="bright_black", overflow="fold")
    for node in ledger.nodes:
        tries = f" ({node.attempts} attempts)" if node.attempts > 1 else ""
        bar = _bar(node.start_ms, node.end_ms, whole_ms, cells, *NODE)
        table.add_row(Text(node.name + tries, style="bold"), bar, f"{node.duration_ms:.1f}", "")
        for inner in node.spans:
            bar = _bar(inner.start_ms, inner.end_ms, whole_ms, cells, *SPAN)
            table.add_row(f"  {inner.name}", bar, f"{inner.duration_ms:.1f}", _tokens(inner))
            for name, start_ms, end_ms in phases(inner):
                bar = _bar(start_ms, end_ms, whole_ms, cells, *ENGINE[name])
                table.add_row(f"    {name.replace('_', ' ')}", bar, f"{end_ms - start_ms:.1f}", "")
    if ledger.scheduling_overhead_ms is not None:
        table.add_row(Text("scheduling", style="bold"), "", f"{ledger.scheduling_overhead_ms:.1f}", "")
        table.add_row(Text("wall", style="bold"), "", f"{whole_ms:.1f}", "")
    return table


def _bar(start_ms: float, end_ms: float, whole_ms: float, cells: int, shape: str, style: str) -> Text:
    scale = cells / whole_ms if whole_ms > 0 else 0.0
    first = min(int(start_ms * scale), cells - 1)
    last = max(first + 1, min(round(end_ms * scale), cells))
    return Text(" " * first + shape * (last - first), style=style)


def _tokens(part: Span) -> str:
    usage = part.usage
    if usage is None:
        return ""
    of_prompt = {"cached": usage.cached_tokens, "image": usage.image_tokens}
    known = ", ".join(f"{count} {name}" for name, count in of_prompt.items() if count is not None)
    counts = []
    if usage.prompt_tokens is not None:
        counts.append(f"{usage.prompt_tokens} prompt" + (f" ({known})" if known else ""))
    if usage.completion_tokens is not None:
        forced = f" ({usage.forced_tokens} forced)" if usage.forced_tokens else ""
        counts.append(f"{usage.completion_tokens} written{forced}")
    if usage.passes is not None:
        counts.append(f"{usage.passes} pass{'' if usage.passes == 1 else 'es'}")
    if usage.reused_images:
        counts.append(f"{usage.reused_images} picture{'' if usage.reused_images == 1 else 's'} from the vision cache")
    return ", ".join(counts)
