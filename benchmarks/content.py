"""Accuracy and cost of the content detector on the held-out album.

    python -m benchmarks.content [--json FILE]

The expected content of a drawing is that of its category (`content` in the taxonomy; by default photo). Times are
medians of CPU time for a decoded picture, as in preparation. A JPEG that is sent untouched is not decoded otherwise, so
its decoding counts too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from time import thread_time
from typing import Annotated

import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.prepare import MAX_PIXELS, photograph
from benchmarks.report import write_report
from onelook.engines.size_grid import DEFAULT_GRID
from onelook.images.content import detect
from onelook.images.original import Original
from onelook.lab.album import read_labels
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from onelook.settings.resolution import CONTENTS, at_most
from onelook.types import Content
from tools.demo_model import HELDOUT

LONG_EDGE = 768
REPETITIONS = 15


def milliseconds(work: Callable[[], object]) -> float:
    """Median CPU time of several runs, in milliseconds."""
    taken = []
    for _ in range(REPETITIONS):
        start = thread_time()
        work()
        taken.append((thread_time() - start) * 1e3)
    return median(taken)


def measure_album() -> tuple[Counter[tuple[Content, Content]], float]:
    """Counts of (truth, detected), and the median milliseconds per picture."""
    categories = load_taxonomy(PHOTOS).categories
    found: Counter[tuple[Content, Content]] = Counter()
    taken = []
    for labelled in read_labels(HELDOUT):
        with Image.open(labelled.path) as image:
            image.load()
        start = thread_time()
        detected = detect(image)
        taken.append((thread_time() - start) * 1e3)
        found[categories[labelled.truth.category].content or "photo", detected] += 1
    return found, median(taken)


def cost_for_untouched(data: bytes) -> float:
    """Additional milliseconds to detect the content of an untouched JPEG."""
    bounds = at_most(LONG_EDGE)

    def original() -> Original:
        return Original(data, name="photograph", max_pixels=MAX_PIXELS, up_to=[bounds], grid=DEFAULT_GRID)

    assert original().picture(bounds).untouched
    return milliseconds(lambda: original().content)


app = typer.Typer(add_completion=False)


@app.command()
def main(json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None) -> None:
    """Accuracy and cost of the content detector."""
    found, album_ms = measure_album()
    recall = {truth: found[truth, truth] / sum(found[truth, each] for each in CONTENTS) for truth in CONTENTS}
    bounds = at_most(LONG_EDGE)
    large = photograph(4000, 3000)
    sent = Original(large, name="photograph", max_pixels=MAX_PIXELS, up_to=[bounds], grid=DEFAULT_GRID).picture(bounds)
    figures: dict[str, float | int | str | None] = {
        "pictures": sum(found.values()),
        "accuracy": round(sum(found[each, each] for each in CONTENTS) / sum(found.values()), 4),
        "balanced_accuracy": round(fmean(recall.values()), 4),
        **{f"{truth}.as_{detected}": found[truth, detected] for truth in CONTENTS for detected in CONTENTS},
        "detect_ms": round(album_ms, 2),
        "untouched_jpeg_ms": round(cost_for_untouched(sent.data), 2),
    }

    table = Table("content", *(f"detected {each}" for each in CONTENTS), "right", title="held-out drawings")
    for truth in CONTENTS:
        table.add_row(truth, *(str(found[truth, each]) for each in CONTENTS), f"{recall[truth]:.1%}")
    console = Console()
    console.print(table)
    console.print(
        f"{figures['accuracy']:.1%} right of {figures['pictures']}, {figures['balanced_accuracy']:.1%} over the kinds; "
        f"{figures['detect_ms']} ms a decoded picture,\n{figures['untouched_jpeg_ms']} ms for a JPEG of {sent.width} x "
        f"{sent.height} that would not be decoded otherwise"
    )
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    app()
