"""What stands beside the demo model, scored on the album: the router that names categories, and the specialist."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from PIL import Image
from rich.table import Table

from onelook.demo.checkpoint import ROUTER
from onelook.engines.zero_shot.build import build_router
from onelook.lab.album import Labelled
from onelook.lab.scores import Scores
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from onelook.settings.router import RouterSettings

SPECIALTIES = ("document", "diagram", "portrait")
"""Categories whose pictures the bundled specialist was trained for."""


@dataclass(frozen=True, slots=True)
class Routed:
    """Share of categories that the router named right, of all pictures and of those that it was sure of (by the
    default threshold), how many these were, and the median of its time in seconds."""

    accuracy: float
    sure: float
    sure_accuracy: float
    seconds: float

    def flat(self) -> dict[str, float]:
        return {
            "siglip.category_accuracy": self.accuracy,
            "siglip.sure": self.sure,
            "siglip.sure_accuracy": self.sure_accuracy,
            "siglip.seconds_a_picture": self.seconds,
        }


async def route_album(album: Sequence[Labelled]) -> Routed:
    """Have the bundled router name the category of every picture."""
    settings = RouterSettings(model=str(ROUTER))
    texts = Prompts(load_taxonomy(PHOTOS), settings.language).zero_shot()
    router = build_router(settings, list(texts.values()))
    try:
        await router.start()
        told: list[tuple[float, bool, float]] = []
        for labelled in album:
            with Image.open(labelled.path) as picture:
                started = time.perf_counter()
                weighed = await router.classify([picture.convert("RGB")])
            confidence, id_ = max(zip(weighed, texts, strict=True))
            told.append((confidence, id_ == labelled.truth.category, time.perf_counter() - started))
    finally:
        await router.aclose()
    sure = [right for confidence, right, _ in told if confidence >= settings.threshold]
    return Routed(
        accuracy=fmean(right for _, right, _ in told),
        sure=len(sure) / len(told),
        sure_accuracy=fmean(sure) if sure else 0.0,
        seconds=median(seconds for _, _, seconds in told),
    )


def beside_table(routed: Routed) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("router", "category", "sure of", "then right", "s a picture"):
        table.add_column(column, justify="left" if column == "router" else "right")
    table.add_row(
        "siglip", *(f"{share:.1%}" for share in (routed.accuracy, routed.sure, routed.sure_accuracy)),
        f"{routed.seconds:.3f}",
    )  # fmt: skip
    return table


def specialist_table(general: Scores, special: Scores) -> Table:
    """Exact records of both models in the specialist's categories."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("exact record", "demo model", "specialist"):
        table.add_column(column, justify="left" if column == "exact record" else "right")
    for category, share in special.exact_by_category.items():
        table.add_row(category, f"{general.exact_by_category[category]:.1%}", f"{share:.1%}")
    return table


def specialist_figures(special: Scores) -> Mapping[str, float]:
    return {f"specialist.{category}.exact_record": share for category, share in special.exact_by_category.items()}
