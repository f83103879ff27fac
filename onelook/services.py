"""What the nodes work with: made once for a process, shared by every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onelook.calibration.fits import Calibration
from onelook.engines.base import Engine
from onelook.engines.zero_shot.base import Router
from onelook.images.limits import Limits
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.process import Settings
from onelook.types import Context, Language, Subject


@dataclass(frozen=True, slots=True)
class Services:
    engine: Engine
    specialist: Engine | None
    router: Router
    routes: Mapping[str, str]
    """Per category id the sentence that the router compares pictures with, in the router's order."""
    taxonomy: Taxonomy
    prompts: Mapping[Language, Prompts]
    limits: Limits
    settings: Settings
    calibration: Calibration
    run: Context
    """The choices of a run that chooses nothing."""
    sample: Subject | None = None
    """What is looked at where no picture is named, as in Studio; None: that is an error."""
