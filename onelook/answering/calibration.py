"""What `onelook calibrate` has learnt of the model that a node asks. A value that the user sets takes precedence."""

from __future__ import annotations

from onelook.answering.confidence import Thresholds
from onelook.calibration.fits import Fit
from onelook.engines.base import Engine
from onelook.prompts.zero_shot import zero_shot_version
from onelook.services import Services
from onelook.types import Context

THRESHOLD = "confidence_threshold"


def fit_of(services: Services, context: Context, engine: Engine) -> Fit | None:
    """None where nothing was learnt of this model, asked in this way with these prompts: it is then believed as is."""
    return services.calibration.fit(context, engine.model, services.prompts[context.language].version)


def thresholds(services: Services, context: Context, engine: Engine) -> Thresholds:
    """What the run or the settings say; where both are silent, what was learnt of the category and of the details; and
    where nothing was, the default."""
    given, fit = context.confidence_threshold, fit_of(services, context, engine)
    if fit is None or THRESHOLD in context.model_fields_set | services.settings.run.model_fields_set:
        return Thresholds(given, given)
    return Thresholds(
        given if fit.category_threshold is None else fit.category_threshold,
        given if fit.details_threshold is None else fit.details_threshold,
    )


def routing(services: Services, probabilities: tuple[float, ...]) -> tuple[tuple[float, ...], float]:
    """What the router's probabilities are worth, and the threshold under which they are not followed."""
    settings = services.settings.router
    fit = services.calibration.router_fit(services.router.model, zero_shot_version(services.routes))
    if fit is None:
        return probabilities, settings.threshold
    if "temperature" not in settings.model_fields_set:
        probabilities = fit.rescaled(probabilities, settings.temperature)
    if "threshold" in settings.model_fields_set or fit.threshold is None:
        return probabilities, settings.threshold
    return probabilities, fit.threshold
