"""What the answers of a batch depend on besides the pictures: a change of it makes them new work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from onelook.answering.workload import questions_of
from onelook.engines.base import Engine
from onelook.graph.arms import ARMS
from onelook.prompts.question import Question
from onelook.prompts.taxonomy.model import UNASKED, Taxonomy
from onelook.services import Services
from onelook.settings.choices import complete
from onelook.settings.engine import EngineSettings
from onelook.types import Context, Language

DIGITS = 12
READ_WHOLE = 1 << 20
"""Files of a checkpoint up to so many bytes are compared by content, its weights by name and size."""

ENGINE_FIELDS = ("engine", "quantization", "dtype", "min_pixels", "max_pixels", "size_grid", "thinking", "prefill")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`made_from`: each part by the name that people know it by; parts that cannot change the answer are left out.
    `taxonomy` is not one of them: it is kept beside the answers, and gives their exports columns and labels.
    """

    made_from: Mapping[str, Any]
    taxonomy: Taxonomy | None = None

    @property
    def digest(self) -> str:
        text = json.dumps(self.made_from, sort_keys=True, ensure_ascii=False)
        return sha256(text.encode()).hexdigest()[:DIGITS]

    def changed_since(self, earlier: Mapping[str, Any]) -> list[str]:
        """The names of the parts that are not as in `earlier`."""
        return changed_parts(earlier, self.made_from)


def changed_parts(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> list[str]:
    names = {**later, **earlier}
    return [name for name in names if earlier.get(name) != later.get(name)]


def fingerprint(services: Services, context: Context) -> Fingerprint:
    """That of runs with `context`. A server's only model has its name after the first question, so this is asked after
    `Tagger.start`.

    Raises:
        SettingsError: a choice is not available, such as a language that the taxonomy lacks.
    """
    context = complete(context, services.run)
    settings, arm = services.settings, ARMS[context.arm]
    prompts = services.prompts[context.language]
    calibration = services.calibration.fit(context, services.engine.model, prompts.version)
    forwards = context.model_copy(update={"debias": False})
    parts: dict[str, Any] = {
        "model": _model(services.engine, settings),
        "arm": arm.name,
        "language": context.language,
        "taxonomy": _digest(_labels(services.taxonomy.model_dump(mode="json", exclude=UNASKED), context.language)),
        # Backwards (debias), a question has the same words.
        "prompts": _digest([_question(each) for each in questions_of(prompts, forwards)]),
        "resolution": _resolution(services, context),
        "confidence_threshold": context.confidence_threshold,
    }
    if context.trim != "off":
        parts["trim"] = context.trim
    if arm.guided:
        parts["reply_format"] = context.reply_format
    if arm.lettered:
        parts["debias"] = context.debias
    if settings.temperature:
        parts["temperature"] = settings.temperature
    if calibration is not None:
        parts["calibration"] = calibration.model_dump(mode="json", exclude={"fitted_on"})
    if arm.routed:
        router = settings.router.model_dump(mode="json", include={"engine", "model", "language", "threshold"})
        fit = services.calibration.router
        parts["router"] = router | {"texts": _digest(dict(services.routes))}
        parts["router calibration"] = None if fit is None else fit.model_dump(mode="json", exclude={"fitted_on"})
    if services.specialist is not None and settings.specialist is not None and context.escalate:
        parts["specialist"] = _model(services.specialist, settings.specialist)
    return Fingerprint(parts, services.taxonomy)


def _question(question: Question) -> list[Any]:
    return [question.system, question.text, question.text_first]


def _labels(taxonomy: Any, language: Language) -> Any:
    """`taxonomy` with the labels of one language alone: a label that is added in another changes no answer."""
    if isinstance(taxonomy, dict):
        if language in taxonomy and all(isinstance(text, str) for text in taxonomy.values()):
            return taxonomy[language]
        return {name: _labels(inner, language) for name, inner in taxonomy.items() if name != "languages"}
    return taxonomy


def _resolution(services: Services, context: Context) -> Any:
    policy = services.settings.resolution.model_dump(mode="json")
    if context.resolution == "auto":
        return {"auto": policy, "adaptive": context.adaptive}
    return {"long_edge": context.long_edge, **({"adaptive": policy} if context.adaptive else {})}


def _model(engine: Engine, settings: EngineSettings) -> dict[str, Any]:
    """The model and how it is run, without where it is: another folder or another server gives the same answers."""
    fields = settings.model_dump(mode="json", include=set(ENGINE_FIELDS), exclude_defaults=True)
    folder = Path(engine.model)
    return fields | ({"name": folder.name, "files": _files(folder)} if folder.is_dir() else {"name": engine.model})


def _files(folder: Path) -> str:
    files = sorted(each for each in folder.iterdir() if each.is_file())
    return _digest(
        [
            [each.name, size if (size := each.stat().st_size) > READ_WHOLE else sha256(each.read_bytes()).hexdigest()]
            for each in files
        ]
    )


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=False, ensure_ascii=False)
    return sha256(text.encode()).hexdigest()[:DIGITS]
