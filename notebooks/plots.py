"""Pictures of a graph and of a run's ledger for the notebooks, drawn here with Matplotlib: nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_core.runnables.graph import Graph
from matplotlib.axes import Axes

from onelook.ledger.model import Ledger
from onelook.ledger.phases import phases

Point = tuple[float, float]

COLUMN, ROW = 2.4, 1.5
ROOM_FOR_FIGURES = 0.12  # of the longest run, right of its last bar
NODE, SPAN = "#2b7a78", "#b8c4c2"
ENGINE = {
    "turn": "#8d99ae",
    "switch": "#d1495b",
    "throttle": "#f4d58d",
    "queue": "#edae49",
    "first_token": "#9d4edd",
    "decode": "#3066be",
}


def draw_graph(axes: Axes, graph: Graph) -> None:
    """Nodes in the order of a run, from left to right; dashed ways are chosen between, and say when they are."""
    places = layout(graph)
    for edge in graph.edges:
        (x, y), (to_x, to_y) = places[edge.source], places[edge.target]
        columns = round((to_x - x) / COLUMN)
        bend = {0: 0.6, 1: 0.0}.get(columns, -0.2 if columns > 0 else 0.25)
        axes.annotate(
            "",
            (to_x, to_y),
            (x, y),
            arrowprops={
                "arrowstyle": "-|>",
                "color": "0.5",
                "linestyle": "--" if edge.conditional else "-",
                "connectionstyle": f"arc3,rad={bend}",
                "shrinkA": 20,
                "shrinkB": 20,
            },
        )
        if edge.data is not None:
            place = bow((x, y), (to_x, to_y), bend, at=0.65 if columns > 2 else 0.4)
            ground = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
            axes.text(*place, str(edge.data), ha="center", va="center", fontsize=7, color="0.25", bbox=ground)
    for name, (x, y) in places.items():
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": NODE}
        axes.text(x, y, name.strip("_"), ha="center", va="center", fontsize=9, bbox=box)
    axes.set_aspect("equal")
    axes.margins(0.08, 0.2)
    axes.update_datalim(list(places.values()))
    axes.autoscale_view()
    axes.axis("off")


def bow(start: Point, end: Point, bend: float, *, at: float) -> Point:
    """The point at a share of the way along Matplotlib's connection style `arc3`, a quadratic Bézier curve."""
    (x, y), (to_x, to_y) = start, end
    control = ((x + to_x) / 2 + bend * (to_y - y), (y + to_y) / 2 - bend * (to_x - x))
    shares = (1 - at) ** 2, 2 * at * (1 - at), at**2
    along = [
        sum(share * point[axis] for share, point in zip(shares, (start, control, end), strict=True)) for axis in (0, 1)
    ]
    return along[0], along[1]


def layout(graph: Graph) -> dict[str, Point]:
    """Left to right by the longest way onward; a node stands level with those before it, and clear of its neighbours.

    Onward is from a node to one that was added to the graph after it.
    """
    order = {name: place for place, name in enumerate(graph.nodes)}
    before: dict[str, list[str]] = {name: [] for name in order}
    for edge in graph.edges:
        if order[edge.source] < order[edge.target]:
            before[edge.target].append(edge.source)
    columns: dict[str, int] = {}
    heights: dict[str, float] = {}
    for name in order:
        columns[name] = 1 + max((columns[each] for each in before[name]), default=-1)
        beside = [each for each in before[name] if columns[each] == columns[name] - 1]
        heights[name] = sum(heights[each] for each in beside) / len(beside) if beside else 0.0
        level = [each for each in columns if columns[each] == columns[name]]
        middle = sum(heights[each] for each in level) / len(level)
        for row, each in enumerate(level):
            heights[each] = middle + ((len(level) - 1) / 2 - row) * ROW
    return {name: (columns[name] * COLUMN, heights[name]) for name in order}


def draw_waterfall(axes: Axes, ledger: Ledger, title: str) -> None:
    """A bar for each node and each stretch inside it, in milliseconds since the run began.

    Axes that share their time with others hold the longest run of them.
    """
    bars = list(_bars(ledger))
    last_ms = max((end_ms for _, _, end_ms, _ in bars), default=0.0)
    for row, (_, start_ms, end_ms, colour) in enumerate(bars):
        axes.barh(row, end_ms - start_ms, left=start_ms, color=colour, height=0.75)
        axes.text(end_ms, row, f" {end_ms - start_ms:.1f}", va="center", fontsize=7, color="0.35")
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars], fontsize=8)
    for (*_, colour), label in zip(bars, axes.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if colour == NODE else "normal")
    axes.set_xlim(0, max(axes.get_xlim()[1], last_ms * (1 + ROOM_FOR_FIGURES)))
    axes.invert_yaxis()
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel("ms")
    axes.spines[["top", "right"]].set_visible(False)


def _bars(ledger: Ledger) -> Iterator[tuple[str, float, float, str]]:
    for node in ledger.nodes:
        yield node.name, node.start_ms, node.end_ms, NODE
        for span in node.spans:
            yield span.name, span.start_ms, span.end_ms, SPAN
            for name, start_ms, end_ms in phases(span):
                yield name.replace("_", " "), start_ms, end_ms, ENGINE[name]
