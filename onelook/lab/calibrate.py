"""Calibrates arms on labelled pictures: confidence curves and the threshold for escalation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image

from onelook.answering.confidence import Thresholds
from onelook.calibration.fits import Curve, Fit, RouterFit
from onelook.engines.base import Engine
from onelook.engines.zero_shot.base import Router
from onelook.engines.zero_shot.wrapper import RouterWrapper
from onelook.errors import EngineError, UserError
from onelook.graph.arms import ARMS
from onelook.lab.album import read_album
from onelook.lab.fitting import Method, fit_curve, fit_softmax_temperature
from onelook.lab.label_columns import LabelOptions
from onelook.lab.labelled import Labelled
from onelook.lab.scores import LabelledResult
from onelook.lab.statistics.calibration_bins import Prediction
from onelook.lab.threshold import Passing, ThresholdChoice, choose
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.prompts.zero_shot import zero_shot_version
from onelook.result import TagResult, model_name
from onelook.run_pool import as_completed
from onelook.settings.choices import complete
from onelook.settings.process import Settings
from onelook.tagger import Tagger, build_services
from onelook.types import Context, Tag, Target


@dataclass(frozen=True, slots=True)
class LabelCalibration:
    """Calibration of one kind of label: its predictions, and the fits, best first; none if too few labels are wrong."""

    kind: Literal["category", "details"]
    predictions: list[Prediction]
    methods: list[Method]

    @property
    def curve(self) -> Curve:
        return self.methods[0].curve if self.methods else Curve()

    @property
    def calibrated(self) -> list[Prediction]:
        return [(self.curve(confidence), right) for confidence, right in self.predictions]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Calibration of one arm. `choices`: the threshold of the category and that of the details, or the one of whole
    records. `together`: what both do to whole records; None where no record is labelled whole. `failed`: pictures
    without a readable answer.
    """

    fit: Fit
    labels: list[LabelCalibration]
    choices: list[ThresholdChoice]
    together: Passing | None
    failed: int


@dataclass(frozen=True, slots=True)
class RouterOutcome:
    """Calibration of the router. Its probabilities are a softmax, so all of them are rescaled together."""

    fit: RouterFit
    before: list[Prediction]
    after: list[Prediction]
    choice: ThresholdChoice


async def calibrate(
    settings: Settings,
    labels: Path,
    contexts: Sequence[Context],
    *,
    accuracy: float,
    target: Target = "each",
    limit: int | None = None,
    options: LabelOptions | None = None,
    engine: Engine | None = None,
    router: Router | None = None,
    on_progress: Callable[[str, int, int], None] = lambda arm, pictures, done: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> tuple[list[Outcome], RouterOutcome | None]:
    """Tag the labelled pictures in each of `contexts`, and fit curves and thresholds to the results.

    An earlier calibration and the specialist are not used; `engine` and `router` replace those of the settings.
    `options`: how the labels are read. `on_progress` is called with the arm, the number of pictures and the number of
    those that are done, `on_note` with what a reader of the figures must know about the labels.

    Raises:
        UserError: the labels are invalid, or the engine returns no probabilities.
        EngineError: the engine does not answer.
    """
    plain = settings.model_copy(update={"calibration": None, "specialist": None})
    services = build_services(plain, engine, None, router)
    read = read_album(labels, services.taxonomy, options)
    album = read.pictures[:limit]
    for note in read.notes:
        on_note(note)
    recorder = RecordingRouter(services.router)
    outcomes: list[Outcome] = []
    routing: RouterOutcome | None = None
    async with Tagger(plain, services.engine, router=recorder) as tagger:
        for context in contexts:
            choices = complete(context.model_copy(update={"escalate": False}), services.run)
            await tagger.start(choices)
            results = await _tag_album(tagger, album, choices, on_progress)
            routed: dict[str, float] = {}
            if ARMS[choices.arm].routed:
                recorded = [recorder.probabilities[str(each.path)] for each in album]
                routing = _calibrate_router(tagger, recorded, [each.truth.category for each in album], accuracy)
                routed = {
                    str(each.path): confidence for each, (confidence, _) in zip(album, routing.after, strict=True)
                }
            outcomes.append(_calibrate_arm(tagger, results, choices, routed, accuracy, target))
    return outcomes, routing


async def _tag_album(
    tagger: Tagger, album: Sequence[Labelled], context: Context, on_progress: Callable[[str, int, int], None]
) -> list[LabelledResult]:
    async def tag(labelled: Labelled) -> TagResult:
        _picture.set(str(labelled.path))
        return await tagger.tag(str(labelled.path), context)

    on_progress(context.arm, len(album), 0)
    results: dict[int, LabelledResult] = {}
    async for index, result in as_completed(tag, album, at_once=tagger.services.settings.concurrency):
        labelled = album[index]
        for error in result.errors:
            if error.kind.startswith("Engine"):
                raise EngineError(f"{labelled.path.name}: {error.message}", hint=error.hint)
            if error.kind.startswith("Image"):
                raise UserError(f"{labelled.where}: {error.message}", hint=error.hint)
        results[index] = LabelledResult(str(labelled.path), labelled.truth, result)
        on_progress(context.arm, len(album), len(results))
    return [results[index] for index in sorted(results)]


def _calibrate_arm(
    tagger: Tagger,
    results: Sequence[LabelledResult],
    context: Context,
    routed: Mapping[str, float],
    accuracy: float,
    target: Target,
) -> Outcome:
    """`routed`: by picture, the router's calibrated confidence in its category."""
    services = tagger.services
    usable = [each for each in results if each.result.status != "failed"]
    category = _label_calibration(
        "category", [pair for each in usable if _by_engine(each.result) for pair in _category(each)]
    )
    details = _label_calibration("details", [pair for each in usable if each.category_right for pair in _details(each)])
    if usable and all(each.result.category is None or each.result.category.confidence is None for each in usable):
        raise UserError(
            f"{services.engine.model} returns no probabilities, so it cannot be calibrated",
            hint="use a server that returns logprobs; `onelook doctor` shows what an engine can do",
        )
    answers = [
        _Calibrated(each, _confidence(each, category.curve, details.curve, routed), _is_known(each, services.taxonomy))
        for each in usable
    ]
    choices = _choose_by_record(answers, accuracy) if target == "record" else _choose_by_label(answers, accuracy)
    for_category, for_details = choices[0].threshold, choices[-1].threshold
    fit = Fit(
        arm=context.arm,
        reply_format=context.reply_format,
        language=context.language,
        debias=context.debias,
        model=model_name(services.engine.model),
        prompts=services.prompts[context.language].version,
        pictures=len(results),
        category=category.curve,
        details=details.curve,
        category_threshold=for_category,
        details_threshold=for_details,
        accuracy=None if for_category is None and for_details is None else accuracy,
        fitted_on=_today(),
    )
    default = context.confidence_threshold
    least = Thresholds(
        default if for_category is None else for_category, default if for_details is None else for_details
    )
    return Outcome(fit, [category, details], choices, _passing(answers, least), len(results) - len(usable))


class _Calibrated(NamedTuple):
    """A result with its calibrated confidences. `known`: whether a right record can be told from a wrong one."""

    labelled: LabelledResult
    confidence: Thresholds
    known: bool


def _is_known(each: LabelledResult, taxonomy: Taxonomy) -> bool:
    """Unknown details may be wrong."""
    attributes = taxonomy.categories[each.truth.category].details
    return not each.category_right or each.truth.details.keys() == attributes.keys()


def _choose_by_record(answers: Sequence[_Calibrated], accuracy: float) -> list[ThresholdChoice]:
    """One threshold, which both the category and the details have to reach."""
    records = [(min(each.confidence), each.labelled.record_right) for each in answers if each.known]
    return [choose("record", records, accuracy)]


def _choose_by_label(answers: Sequence[_Calibrated], accuracy: float) -> list[ThresholdChoice]:
    """The threshold of the category, and that of the details; of a wrong category's details nothing is known."""
    categories = [(each.confidence.category, each.labelled.category_right) for each in answers]
    details = [
        (each.confidence.details, each.labelled.record_right)
        for each in answers
        if each.known and each.labelled.category_right and each.labelled.truth.details
    ]
    return [choose("category", categories, accuracy), choose("details", details, accuracy)]


def _passing(answers: Sequence[_Calibrated], least: Thresholds) -> Passing | None:
    records = [(all(map(ge, each.confidence, least)), each.labelled.record_right) for each in answers if each.known]
    return Passing.of(records) if records else None


def _calibrate_router(
    tagger: Tagger, probabilities: Sequence[tuple[float, ...]], categories: Sequence[str], accuracy: float
) -> RouterOutcome:
    services, ids = tagger.services, list(tagger.services.routes)
    truth = [ids.index(category) for category in categories]
    current = services.settings.router.temperature
    relative = fit_softmax_temperature(probabilities, truth)
    fit = RouterFit(
        model=model_name(services.router.model),
        texts=zero_shot_version(services.routes),
        pictures=len(truth),
        temperature=current * (relative or 1.0),
        fitted_on=_today(),
    )
    before, after = (
        [(max(each), each.index(max(each)) == right) for each, right in zip(scaled, truth, strict=True)]
        for scaled in (probabilities, [fit.rescaled(each, current) for each in probabilities])
    )
    choice = choose("router", after, accuracy)
    threshold = choice.threshold
    update = {"threshold": threshold, "accuracy": None if threshold is None else accuracy}
    return RouterOutcome(fit.model_copy(update=update), before, after, choice)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _label_calibration(kind: Literal["category", "details"], predictions: list[Prediction]) -> LabelCalibration:
    return LabelCalibration(kind, predictions, fit_curve(predictions))


def _by_engine(result: TagResult) -> bool:
    """Whether the engine named the category. In the arm hybrid the router mostly does; it has its own temperature."""
    return not ARMS[result.arm].routed or any(node.name == "analyze" for node in result.ledger.nodes)


def _category(each: LabelledResult) -> Iterator[Prediction]:
    tag = each.result.category
    if tag is not None and tag.confidence is not None:
        yield tag.confidence, each.category_right


def _details(each: LabelledResult) -> Iterator[Prediction]:
    """Every value, and every option that was reported as absent."""
    for labels, present in ((each.result.details, True), (each.result.absences, False)):
        for attribute, tags in labels.items():
            for tag in tags:
                if tag.confidence is not None and attribute in each.truth.details:
                    yield tag.confidence, (tag.id in each.truth.details[attribute]) == present


def _confidence(each: LabelledResult, category: Curve, details: Curve, routed: Mapping[str, float]) -> Thresholds:
    """The confidence of the category and the least of the details, which the node review compares with thresholds."""

    def calibrated(tag: Tag, curve: Curve) -> float:
        return 0.0 if tag.confidence is None else curve(tag.confidence)

    result = each.result
    values = [tag for found in (result.details, result.absences) for tags in found.values() for tag in tags]
    first = result.category
    if first is None:
        raise ValueError("a usable result has a category")
    confidence = calibrated(first, category) if _by_engine(result) else routed[each.name]
    return Thresholds(confidence, min((calibrated(tag, details) for tag in values), default=1.0))


_picture: ContextVar[str] = ContextVar("onelook_labelled_picture")


class RecordingRouter(RouterWrapper):
    """A router that records the probabilities of each picture."""

    def __init__(self, router: Router) -> None:
        super().__init__(router)
        self.probabilities: dict[str, tuple[float, ...]] = {}

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        probabilities = await super().classify(pictures)
        if (name := _picture.get(None)) is not None:
            self.probabilities[name] = probabilities
        return probabilities
