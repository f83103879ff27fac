"""The latency ledger as bars on one time axis."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from graph.schema import Ledger, Span

BAR_CELLS = 44
STYLES = {"queue": "yellow", "first_token": "magenta", "decode": "blue"}
REST_STYLE = "bright_black"
NODE_STYLE = "cyan"


def waterfall(ledger: Ledger) -> Table:
    """One row a node and, below it, one a span; the engine's own share inside its span is coloured."""
    whole_ms = ledger.wall_ms or max((node.end_ms for node in ledger.nodes), default=0.0)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("where")
    table.add_column(_legend(), width=BAR_CELLS, no_wrap=True)
    table.add_column("ms", justify="right")
    table.add_column("tokens", style="bright_black")
    for node in ledger.nodes:
        tries = f" ({node.attempts} attempts)" if node.attempts > 1 else ""
        table.add_row(
            Text(node.name + tries, style="bold"), _bar(node, whole_ms, NODE_STYLE), f"{node.duration_ms:.1f}", ""
        )
        for inner in node.spans:
            table.add_row(
                f"  {inner.name}", _bar(inner, whole_ms, REST_STYLE), f"{inner.duration_ms:.1f}", _tokens(inner)
            )
    if ledger.scheduling_overhead_ms is not None:
        table.add_row("scheduling", "", f"{ledger.scheduling_overhead_ms:.1f}", "")
        table.add_row(Text("wall", style="bold"), "", f"{whole_ms:.1f}", "")
    return table


def _legend() -> Text:
    legend = Text()
    for name, style in STYLES.items():
        legend.append("━ ", style=style)
        legend.append(f"{name.replace('_', ' ')}  ", style=REST_STYLE)
    return legend


def _bar(part: Span, whole_ms: float, style: str) -> Text:
    scale = BAR_CELLS / whole_ms if whole_ms > 0 else 0.0
    start = min(int(part.start_ms * scale), BAR_CELLS - 1)
    end = max(start + 1, min(round(part.end_ms * scale), BAR_CELLS))
    cells = [style] * (end - start)
    position = 0.0
    for name, duration_ms in (part.server.known() if part.server else {}).items():
        first, position = position, position + duration_ms * scale
        for cell in range(round(first), min(round(position), len(cells))):
            cells[cell] = STYLES[name]
    bar = Text(" " * start)
    for cell_style in cells:
        bar.append("━", style=cell_style)
    return bar


def _tokens(part: Span) -> str:
    if part.usage is None:
        return ""
    usage = part.usage
    counts = {
        "prompt": usage.prompt_tokens,
        "cached": usage.cached_tokens,
        "image": usage.image_tokens,
        "written": usage.completion_tokens,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count is not None)
