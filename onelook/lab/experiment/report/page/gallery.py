"""The pictures with the answers of every arm, as data for the gallery's script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pybase64 import b64encode_as_string

from onelook.lab.experiment.design import DesignPicture
from onelook.lab.experiment.metrics import ATTRIBUTE, is_right
from onelook.lab.experiment.outcomes import Outcome
from onelook.lab.experiment.report.recorded import Recorded
from onelook.lab.experiment.report.sentences import metric_words
from onelook.lab.experiment.report.thumbnails import Missing
from onelook.standalone_page import without_tags


def gallery(
    recorded: Recorded, thumbnails: Mapping[str, bytes | Missing], *, originals: bool = True
) -> dict[str, bytes]:
    """The page's data blocks by name, as `files/gallery.js` reads them: JSON in which no tag can begin or end.

    `originals`: whether they say where the pictures are, for links to them."""
    images: list[str] = []
    places: dict[str, int | str] = {}
    for picture in recorded.design.pictures:
        thumbnail = thumbnails[picture.name]
        places[picture.name] = len(images) if isinstance(thumbnail, bytes) else thumbnail.value
        if isinstance(thumbnail, bytes):
            images.append(b64encode_as_string(thumbnail))
    rows = [_row(recorded, each, places[each.name]) for each in recorded.design.pictures]
    return {
        "about": _json(_about(recorded, originals)),
        "pictures": b"[" + b",\n".join(map(_json, rows)) + b"]",
        "thumbnails": _json(images),
    }


def _metrics(recorded: Recorded) -> list[str]:
    """Those by which the gallery can sort pictures; the primary one comes first."""
    primary = recorded.design.primary
    names = ["record", "category", *([primary] if primary.startswith(ATTRIBUTE) else [])]
    return sorted(names, key=lambda each: each != primary) if recorded.labelled else []


def _arms(recorded: Recorded) -> list[str]:
    return [*recorded.arms, *([recorded.again] if recorded.design.aa else [])]


def _about(recorded: Recorded, originals: bool) -> dict[str, Any]:
    truths = [each.truth.category for each in recorded.design.pictures if each.truth]
    answers = [each.answer.category for each in recorded.runs.outcomes if each.answer]
    sessions = recorded.runs.sessions
    album = Path(sessions[-1].album) if sessions and originals else None
    return {
        "arms": _arms(recorded),
        "metrics": [
            {"id": each, "en": en, "zh": zh} for each in _metrics(recorded) for en, zh in (metric_words(each),)
        ],
        "categories": sorted({*truths, *answers}),
        "folder": None if album is None else (album.parent if album.is_file() else album).as_uri(),
    }


def _row(recorded: Recorded, picture: DesignPicture, thumbnail: int | str) -> list[Any]:
    truth, metrics = picture.truth, _metrics(recorded)
    outcomes = [recorded.by_key.get((recorded.first, picture.name, arm)) for arm in _arms(recorded)]
    return [
        picture.name,
        picture.cluster,
        thumbnail,
        None if truth is None else [truth.category, truth.details],
        [each and _answer(each, [is_right(each, truth, metric) for metric in metrics]) for each in outcomes],
    ]


def _answer(outcome: Outcome, right: list[bool | None]) -> list[Any]:
    answer = outcome.answer
    return [
        outcome.status,
        None if answer is None else answer.category,
        {} if answer is None else answer.details,
        {name: _rounded(each) for name, each in outcome.confidences.items()},
        _rounded(outcome.least_confidence),
        round(outcome.latency_ms, 1),
        [f"{each.kind}: {each.message}" for each in outcome.errors],
        right,
    ]


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)


def _json(value: object) -> bytes:
    return without_tags(orjson.dumps(value))
