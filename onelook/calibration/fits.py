"""How far a probability is to be believed: what `onelook calibrate` has learnt from labelled pictures, and its file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from onelook.errors import SettingsError
from onelook.graph.arms import ArmName
from onelook.types import Context, Frozen, Language, Probability, ReplyFormat

EDGE = 1e-6
"""Probabilities are kept so far from 0 and 1: single precision tells no more, and log-odds stay finite."""

Temperature = Annotated[float, Field(gt=0)]


def log_odds(probability: float) -> float:
    kept = min(max(probability, EDGE), 1 - EDGE)
    return math.log(kept / (1 - kept))


class Curve(Frozen):
    """From a label's probability to how often it is right: p' = sigmoid(log_odds(p) / temperature + bias).

    Without a bias it is temperature scaling of the choice between this label and all others (Guo et al. 2017,
    arXiv 1706.04599); with one it is Platt's (1999). It rises everywhere, so it changes no order.
    """

    temperature: Temperature = 1.0
    bias: float = 0.0

    def __call__(self, probability: float) -> float:
        return (1 + math.tanh((log_odds(probability) / self.temperature + self.bias) / 2)) / 2


class Fit(Frozen):
    """What was learnt of one way to ask one model. The first six fields say which; another way is another fit."""

    arm: ArmName
    reply_format: ReplyFormat
    language: Language
    debias: bool
    model: str
    prompts: str = Field(description="Version of the prompts, taxonomy included.")

    pictures: int
    category: Curve = Curve()
    details: Curve = Field(Curve(), description="Of all attributes' values together.")
    threshold: Probability | None = Field(None, description="Takes the place of run.confidence_threshold.")
    accuracy: Probability | None = Field(None, description="What was wanted of the answers at or above the threshold.")

    def asks_as(self, context: Context) -> bool:
        """Whether a run with `context` asks in this way, whatever the model and the prompts."""
        return (self.arm, self.reply_format, self.language, self.debias) == way(context)

    @property
    def key(self) -> tuple[object, ...]:
        return (self.arm, self.reply_format, self.language, self.debias, self.model, self.prompts)


def way(context: Context) -> tuple[ArmName, ReplyFormat, Language, bool]:
    """What of a run's choices changes how a model's probabilities come about."""
    return context.arm, context.reply_format, context.language, context.debias


class RouterFit(Frozen):
    """What was learnt of the router of the arm `hybrid`. It takes the place of router.temperature and .threshold."""

    model: str
    texts: str = Field(description="Version of the sentences that pictures are compared with.")

    pictures: int
    temperature: Temperature = 1.0
    threshold: Probability | None = None
    accuracy: Probability | None = None

    def rescaled(self, probabilities: Sequence[float], temperature: float) -> tuple[float, ...]:
        """`probabilities`, a softmax at `temperature`, as they would be at this fit's."""
        logs = [math.log(max(each, 1e-30)) * temperature / self.temperature for each in probabilities]
        most = max(logs)
        weights = [math.exp(each - most) for each in logs]
        return tuple(weight / sum(weights) for weight in weights)


class Calibration(Frozen):
    """Everything that is in one file; empty where there is none."""

    fits: tuple[Fit, ...] = ()
    router: RouterFit | None = None

    def fit(self, context: Context, model: str, prompts: str) -> Fit | None:
        """What was learnt of `model`, asked as `context` says with these prompts."""
        for fit in self.fits:
            if fit.asks_as(context) and (fit.model, fit.prompts) == (model, prompts):
                return fit
        return None

    def misfit(self, context: Context, model: str, prompts: str) -> str | None:
        """Why a run with `context` gets nothing from this calibration; None where it does, or there is none."""
        if not self.fits or self.fit(context, model, prompts) is not None:
            return None
        asked = [fit for fit in self.fits if fit.asks_as(context)]
        if not asked:
            found = f"it has nothing on {' '.join(map(str, way(context)[:3]))}"
        elif all(fit.model != model for fit in asked):
            found = f"it was made for the model {asked[-1].model}, not {model}"
        else:
            found = "it was made for other prompts or another taxonomy"
        return f"the calibration is not used: {found}; `onelook calibrate` makes it anew"

    def router_fit(self, model: str, texts: str) -> RouterFit | None:
        """What was learnt of this router with these sentences."""
        known = self.router
        return known if known is not None and (known.model, known.texts) == (model, texts) else None

    def with_fit(self, fit: Fit) -> Calibration:
        """This one, with `fit` in the place of an earlier one of the same way, model and prompts."""
        others = tuple(each for each in self.fits if each.key != fit.key)
        return self.model_copy(update={"fits": (*others, fit)})

    def save(self, file: Path) -> None:
        """Write it, in one piece. Raises `SettingsError` where that cannot be done."""
        unfinished = file.with_name(f".{file.name}.unfinished")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
            unfinished.replace(file)
        except OSError as error:
            raise SettingsError(f"cannot write {file}: {error.strerror}", hint="name another file: --out") from None


def load_calibration(file: Path | None) -> Calibration:
    """What is in `file`; nothing where there is none to read (None).

    Raises:
        SettingsError: the file is not there, or is no calibration.
    """
    if file is None:
        return Calibration()
    hint = "`onelook calibrate LABELS` writes such a file"
    try:
        return Calibration.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"no calibration file {file}", hint=hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the calibration file {file}: {error}", hint=hint) from None
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise SettingsError(
            f"{file} is no calibration file: {f'{place}: ' if place else ''}{problem['msg']}", hint=hint
        ) from None
