"""Scores of the router and of the specialist on the album."""

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
"""Categories for which the bundled specialist was trained."""


@dataclass(frozen=True, slots=True)
class RouterScores:
    """Category accuracy of the router, the share of pictures at or above the default threshold, the accuracy of these,
    and the median time in seconds."""

    accuracy: float
    confident: float
    confident_accuracy: float
    seconds: float

    def flat(self) -> dict[str, float]:
        return {
            "siglip.category_accuracy": self.accuracy,
            "siglip.sure": self.confident,
            "siglip.sure_accuracy": self.confident_accuracy,
            "siglip.seconds_a_picture": self.seconds,
        }


async def route_album(album: Sequence[Labelled]) -> RouterScores:
    """Classify every picture with the bundled router."""
    settings = RouterSettings(model=str(ROUTER))
    texts = Prompts(load_taxonomy(PHOTOS), settings.language).zero_shot()
    router = build_router(settings, list(texts.values()))
    try:
        await router.start()
        results: list[tuple[float, bool, float]] = []
        for labelled in album:
            with Image.open(labelled.path) as picture:
                started = time.perf_counter()
                probabilities = await router.classify([picture.convert("RGB")])
            confidence, id_ = max(zip(probabilities, texts, strict=True))
            results.append((confidence, id_ == labelled.truth.category, time.perf_counter() - started))
    finally:
        await router.aclose()
    confident = [right for confidence, right, _ in results if confidence >= settings.threshold]
    return RouterScores(
        accuracy=fmean(right for _, right, _ in results),
        confident=len(confident) / len(results),
        confident_accuracy=fmean(confident) if confident else 0.0,
        seconds=median(seconds for _, _, seconds in results),
    )


def router_table(scores: RouterScores) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("router", "category", "above threshold", "accuracy there", "s per picture"):
        table.add_column(column, justify="left" if column == "router" else "right")
    table.add_row(
        "siglip", *(f"{share:.1%}" for share in (scores.accuracy, scores.confident, scores.confident_accuracy)),
        f"{scores.seconds:.3f}",
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
