"""Learn from labelled pictures how far an arm is to be believed, and where its answers can stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from onelook.calibration.fits import Curve, Fit, RouterFit
from onelook.engines.base import Engine, Finding
from onelook.engines.zero_shot.base import Router
from onelook.errors import EngineError, UserError
from onelook.lab.album import Labelled
from onelook.lab.fitting import Method, fit_curve, fit_softmax_temperature
from onelook.lab.labels import read_labelled
from onelook.lab.reliability import Prediction
from onelook.lab.scores import Answered
from onelook.lab.threshold import OperatingPoint, least_escalation, most_accurate
from onelook.prompts.zero_shot import zero_shot_version
from onelook.result import TagResult
from onelook.run_pool import as_completed
from onelook.settings.choices import complete
from onelook.settings.process import Settings
from onelook.tagger import Tagger, build_services
from onelook.types import Context, Tag, Target


@dataclass(frozen=True, slots=True)
class LabelCalibration:
    """About one kind of label: the labels, and the ways to a curve, best first; none where too few were wrong."""

    kind: Literal["category", "details"]
    sure: list[Prediction]
    methods: list[Method]

    @property
    def curve(self) -> Curve:
        return self.methods[0].curve if self.methods else Curve()

    @property
    def calibrated(self) -> list[Prediction]:
        return [(self.curve(confidence), right) for confidence, right in self.sure]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was learnt of one arm. `line` is None where the wanted accuracy is not reached; `best` comes nearest."""

    fit: Fit
    labels: list[LabelCalibration]
    line: OperatingPoint | None
    best: OperatingPoint | None
    failed: int


@dataclass(frozen=True, slots=True)
class RouterOutcome:
    """What was learnt of the router, whose probabilities are a softmax: all of them are rescaled, not one by one."""

    fit: RouterFit
    before: list[Prediction]
    after: list[Prediction]
    line: OperatingPoint | None
    best: OperatingPoint | None


async def calibrate(
    settings: Settings,
    labels: Path,
    contexts: Sequence[Context],
    *,
    accuracy: float,
    target: Target,
    limit: int | None = None,
    engine: Engine | None = None,
    router: Router | None = None,
    on_progress: Callable[[str, int, int], None] = lambda arm, pictures, done: None,
) -> tuple[list[Outcome], RouterOutcome | None]:
    """Tag the labelled pictures in each of `contexts`, and learn from what is right and wrong.

    Earlier calibration and specialist are left aside; `engine` and `router` replace those of the settings. `told` is
    called with the arm, the number of pictures, and how many are done.

    Raises:
        UserError: the labels cannot be used, or the engine gives no probabilities.
        EngineError: the engine does not answer.
    """
    plain = settings.model_copy(update={"calibration": None, "specialist": None})
    services = build_services(plain, engine, None, router)
    album = read_labelled(labels, services.taxonomy)[:limit]
    watch = RouterWatch(services.router)
    outcomes: list[Outcome] = []
    routing: RouterOutcome | None = None
    async with Tagger(plain, services.engine, router=watch) as tagger:
        for context in contexts:
            choices = complete(context.model_copy(update={"escalate": False}), services.run)
            await tagger.start(choices)
            answered = await _answers(tagger, album, choices, on_progress)
            routed: dict[str, float] = {}
            if choices.arm == "hybrid":
                seen = [watch.seen[str(each.path)] for each in album]
                routing = _learn_router(tagger, seen, [each.truth.category for each in album], accuracy)
                routed = {str(each.path): sure for each, (sure, _) in zip(album, routing.after, strict=True)}
            outcomes.append(_learn(tagger, answered, choices, routed, accuracy, target))
    return outcomes, routing


async def _answers(
    tagger: Tagger, album: Sequence[Labelled], context: Context, on_progress: Callable[[str, int, int], None]
) -> list[Answered]:
    async def answer(labelled: Labelled) -> TagResult:
        _picture.set(str(labelled.path))
        return await tagger.tag(str(labelled.path), context)

    on_progress(context.arm, len(album), 0)
    answered: dict[int, Answered] = {}
    async for index, result in as_completed(answer, album, at_once=tagger.services.settings.concurrency):
        labelled = album[index]
        for error in result.errors:
            if error.kind.startswith("Engine"):
                raise EngineError(f"{labelled.path.name}: {error.message}", hint=error.hint)
            if error.kind.startswith("Image"):
                raise UserError(f"{labelled.where}: {error.message}", hint=error.hint)
        answered[index] = Answered(str(labelled.path), labelled.truth, result)
        on_progress(context.arm, len(album), len(answered))
    return [answered[index] for index in sorted(answered)]


def _learn(
    tagger: Tagger,
    answered: Sequence[Answered],
    context: Context,
    routed: Mapping[str, float],
    accuracy: float,
    target: Target,
) -> Outcome:
    """`routed`: by picture, how sure the router is of its category, calibrated."""
    services = tagger.services
    read = [each for each in answered if each.result.status != "failed"]
    category = _learnt("category", [pair for each in read if _by_engine(each.result) for pair in _category(each)])
    details = _learnt("details", [pair for each in read if each.category_right for pair in _details(each)])
    if read and all(each.result.category is None or each.result.category.confidence is None for each in read):
        raise UserError(
            f"{services.engine.model} gives no probabilities, so there is nothing to calibrate",
            hint="`onelook doctor` tells what an engine can do; a server must return logprobs",
        )
    standing = [
        (
            _least(each, category.curve, details.curve, routed),
            each.category_right if target == "category" else each.record_right,
        )
        for each in read
    ]
    line = least_escalation(standing, accuracy)
    fit = Fit(
        arm=context.arm,
        reply_format=context.reply_format,
        language=context.language,
        debias=context.debias,
        model=services.engine.model,
        prompts=services.prompts[context.language].version,
        pictures=len(answered),
        category=category.curve,
        details=details.curve,
        threshold=line and line.threshold,
        accuracy=accuracy if line else None,
    )
    return Outcome(fit, [category, details], line, most_accurate(standing), len(answered) - len(read))


def _learn_router(
    tagger: Tagger, probabilities: Sequence[tuple[float, ...]], categories: Sequence[str], accuracy: float
) -> RouterOutcome:
    services, ids = tagger.services, list(tagger.services.routes)
    truth = [ids.index(category) for category in categories]
    now = services.settings.router.temperature
    relative = fit_softmax_temperature(probabilities, truth)
    fit = RouterFit(
        model=services.router.model,
        texts=zero_shot_version(services.routes),
        pictures=len(truth),
        temperature=now * (relative or 1.0),
    )
    before, after = (
        [(max(each), each.index(max(each)) == right) for each, right in zip(seen, truth, strict=True)]
        for seen in (probabilities, [fit.rescaled(each, now) for each in probabilities])
    )
    line = least_escalation(after, accuracy)
    fit = fit.model_copy(update={"threshold": line and line.threshold, "accuracy": accuracy if line else None})
    return RouterOutcome(fit, before, after, line, most_accurate(after))


def _learnt(kind: Literal["category", "details"], sure: list[Prediction]) -> LabelCalibration:
    return LabelCalibration(kind, sure, fit_curve(sure))


def _by_engine(result: TagResult) -> bool:
    """In the arm hybrid the category is mostly the router's, which has a temperature of its own."""
    return result.arm != "hybrid" or any(node.name == "analyze" for node in result.ledger.nodes)


def _category(each: Answered) -> Iterator[Prediction]:
    tag = each.result.category
    if tag is not None and tag.confidence is not None:
        yield tag.confidence, each.category_right


def _details(each: Answered) -> Iterator[Prediction]:
    """Every value, and every option that was read as absent."""
    for found, present in ((each.result.details, True), (each.result.absences, False)):
        for attribute, tags in found.items():
            for tag in tags:
                if tag.confidence is not None:
                    yield tag.confidence, (tag.id in each.truth.details[attribute]) == present


def _least(each: Answered, category: Curve, details: Curve, routed: Mapping[str, float]) -> float:
    """What the node review will hold against the threshold."""

    def believed(tag: Tag, curve: Curve) -> float:
        return 0.0 if tag.confidence is None else curve(tag.confidence)

    result = each.result
    values = [tag for found in (result.details, result.absences) for tags in found.values() for tag in tags]
    first = result.category
    if first is None:
        raise ValueError("an answer that was read has a category")
    own = believed(first, category) if _by_engine(result) else routed[each.name]
    return min([own, *(believed(tag, details) for tag in values)])


_picture: ContextVar[str] = ContextVar("onelook_labelled_picture")


class RouterWatch(Router):
    """A router, and what it said of each picture."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self.seen: dict[str, tuple[float, ...]] = {}

    @property
    def model(self) -> str:
        return self._router.model

    async def start(self) -> None:
        await self._router.start()

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        probabilities = await self._router.classify(pictures)
        if (name := _picture.get(None)) is not None:
            self.seen[name] = probabilities
        return probabilities

    async def probe(self) -> list[Finding]:
        return await self._router.probe()

    async def aclose(self) -> None:
        await self._router.aclose()
