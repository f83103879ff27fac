"""Calibration of probabilities: what `onelook calibrate` has fitted on labelled pictures, and its file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from onelook.errors import SettingsError
from onelook.graph.arms import ArmName
from onelook.result import model_name
from onelook.types import Context, Frozen, Language, Probability, ReplyFormat

EDGE = 1e-6
"""Least distance of probabilities from 0 and 1: the limit of single precision, and log-odds stay finite."""

Temperature = Annotated[float, Field(gt=0)]


def log_odds(probability: float) -> float:
    kept = min(max(probability, EDGE), 1 - EDGE)
    return math.log(kept / (1 - kept))


class Curve(Frozen):
    """From a label's probability to the share of right labels: p' = sigmoid(log_odds(p) / temperature + bias).

    Without a bias it is temperature scaling of the choice between this label and all others (Guo et al. 2017,
    arXiv 1706.04599); with one it is Platt scaling (1999). It is increasing, so the order of labels stays the same.
    """

    temperature: Temperature = 1.0
    bias: float = 0.0

    def __call__(self, probability: float) -> float:
        return (1 + math.tanh((log_odds(probability) / self.temperature + self.bias) / 2)) / 2


class Fit(Frozen):
    """Calibration of one model, asked in one way. The first six fields identify it; another way has its own fit."""

    arm: ArmName
    reply_format: ReplyFormat
    language: Language
    debias: bool
    model: str
    prompts: str = Field(description="Version of the prompts, taxonomy included.")

    pictures: int
    category: Curve = Curve()
    details: Curve = Field(Curve(), description="Of all attributes' values together.")
    category_threshold: Probability | None = Field(
        None, description="Replaces run.confidence_threshold for the category; None where none reaches the accuracy."
    )
    details_threshold: Probability | None = Field(None, description="The same for each value of the details.")
    accuracy: Probability | None = Field(None, description="Required of the answers at or above the thresholds.")
    fitted_on: str | None = Field(None, description="Day, as in 2026-11-27.")

    def asks_as(self, context: Context) -> bool:
        """Whether a run with `context` asks in this way, regardless of model and prompts."""
        return (self.arm, self.reply_format, self.language, self.debias) == way(context)

    @property
    def key(self) -> tuple[object, ...]:
        return (self.arm, self.reply_format, self.language, self.debias, model_name(self.model), self.prompts)

    @property
    def thresholds(self) -> dict[str, float]:
        """Those that were found, by what they are of."""
        both = {"category": self.category_threshold, "details": self.details_threshold}
        return {name: threshold for name, threshold in both.items() if threshold is not None}

    @property
    def summary(self) -> str:
        """What a person must know before they replace it."""
        return _summary(self)


def way(context: Context) -> tuple[ArmName, ReplyFormat, Language, bool]:
    """The choices of a run that affect a model's probabilities."""
    return context.arm, context.reply_format, context.language, context.debias


def _summary(fit: Fit | RouterFit) -> str:
    found = ", ".join(f"{name} {threshold:.3f}" for name, threshold in fit.thresholds.items()) or "none"
    return f"{fit.pictures} pictures, {fit.fitted_on or 'of unknown date'}, model {fit.model}, thresholds: {found}"


class RouterFit(Frozen):
    """Calibration of the router of the arm `hybrid`. It replaces router.temperature and router.threshold."""

    model: str
    texts: str = Field(description="Version of the sentences that pictures are compared with.")

    pictures: int
    temperature: Temperature = 1.0
    threshold: Probability | None = None
    accuracy: Probability | None = None
    fitted_on: str | None = None

    @property
    def thresholds(self) -> dict[str, float]:
        return {} if self.threshold is None else {"router": self.threshold}

    @property
    def summary(self) -> str:
        return _summary(self)

    def rescaled(self, probabilities: Sequence[float], temperature: float) -> tuple[float, ...]:
        """`probabilities`, a softmax at `temperature`, rescaled to the temperature of this fit."""
        logs = [math.log(max(each, 1e-30)) * temperature / self.temperature for each in probabilities]
        most = max(logs)
        weights = [math.exp(each - most) for each in logs]
        return tuple(weight / sum(weights) for weight in weights)


def refusal(fit: Fit | RouterFit, earlier: Fit | RouterFit | None, *, force: bool) -> str | None:
    """Why `fit` must not be written in the place of `earlier`; None if it may.

    `force` accepts fewer pictures, and thresholds of 0. A fit that lacks a threshold which the earlier one has never
    replaces it.
    """
    if earlier is not None:
        if missing := [name for name in earlier.thresholds if name not in fit.thresholds]:
            return (
                f"no threshold reaches that accuracy ({', '.join(missing)}), so the earlier calibration"
                f" ({earlier.summary}) stays: write to another file with --out FILE"
            )
        if fit.pictures < earlier.pictures and not force:
            return (
                f"not written: it is from {fit.pictures} pictures, and the earlier calibration from more"
                f" ({earlier.summary}); use more pictures, --out FILE, or --force"
            )
    if fit.thresholds and not any(fit.thresholds.values()) and not force:
        return (
            "not written: a threshold of 0 lets every answer pass, however unsure; ask for more with --accuracy, or"
            " write it all the same with --force"
        )
    return None


class Calibration(Frozen):
    """The contents of a calibration file; empty if there is no file."""

    fits: tuple[Fit, ...] = ()
    router: RouterFit | None = None

    def fit(self, context: Context, model: str, prompts: str) -> Fit | None:
        """The fit for `model`, asked as `context` says with these prompts."""
        for fit in self.fits:
            if fit.asks_as(context) and (model_name(fit.model), fit.prompts) == (model_name(model), prompts):
                return fit
        return None

    def misfit(self, context: Context, model: str, prompts: str) -> str | None:
        """Why this calibration does not apply to a run with `context`; None if it applies or is empty."""
        if not self.fits or self.fit(context, model, prompts) is not None:
            return None
        same_way = [fit for fit in self.fits if fit.asks_as(context)]
        if not same_way:
            found = f"it has no fit for {' '.join(map(str, way(context)[:3]))}"
        elif all(model_name(fit.model) != model_name(model) for fit in same_way):
            found = f"it was made for the model {model_name(same_way[-1].model)}, not {model_name(model)}"
        else:
            found = "it was made for other prompts or another taxonomy"
        return f"the calibration is not used: {found}; run `onelook calibrate` again"

    def router_fit(self, model: str, texts: str) -> RouterFit | None:
        """The fit for this router with these sentences."""
        fit = self.router
        if fit is None or (model_name(fit.model), fit.texts) != (model_name(model), texts):
            return None
        return fit

    def earlier(self, fit: Fit) -> Fit | None:
        """The fit of the same way, model and prompts, which `with_fit` would replace."""
        return next((each for each in self.fits if each.key == fit.key), None)

    def with_fit(self, fit: Fit) -> Calibration:
        """A copy with `fit`, which replaces an earlier fit of the same way, model and prompts."""
        others = tuple(each for each in self.fits if each.key != fit.key)
        return self.model_copy(update={"fits": (*others, fit)})

    def save(self, file: Path) -> None:
        """Write the file atomically. Raises `SettingsError` if it cannot be written."""
        unfinished = file.with_name(f".{file.name}.unfinished")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
            unfinished.replace(file)
        except OSError as error:
            raise SettingsError(
                f"cannot write {file}: {error.strerror}", hint="name another file with --out FILE"
            ) from None


def load_calibration(file: Path | None) -> Calibration:
    """The calibration in `file`; an empty one if `file` is None.

    Raises:
        SettingsError: the file does not exist, is not a calibration file, or has no fit in it.
    """
    if file is None:
        return Calibration()
    hint = "`onelook calibrate LABELS --out FILE` writes such a file, ONELOOK_CALIBRATION=FILE names it"
    try:
        found = Calibration.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"the calibration file {file} does not exist", hint=hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the calibration file {file}: {error}", hint=hint) from None
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        if key.startswith("fits.") and key.endswith(".threshold"):
            raise SettingsError(
                f"{file}: {key} is of the category alone, and let unsure details pass", hint=f"remove it, then {hint}"
            ) from None
        raise SettingsError(
            f"{file} is not a calibration file: {f'{key}: ' if key else ''}{problem['msg']}", hint=hint
        ) from None
    if not found.fits and found.router is None:
        raise SettingsError(
            f"{file} holds no calibration: it has neither fits nor a router", hint=f"remove it, then {hint}"
        )
    return found
