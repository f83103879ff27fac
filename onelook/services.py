"""What the nodes work with: made once for a process, shared by all runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onelook.calibration.fits import Calibration
from onelook.engines.base import Engine
from onelook.engines.residency import Residency
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
    residency: Residency | None
    """Which of the two models is in memory, where only one fits; None where both stay."""
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
    """The picture of a run that names none, as in Studio; None: such a run fails."""

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The first engine, and the specialist where there is one."""
        return (self.engine,) if self.specialist is None else (self.engine, self.specialist)
