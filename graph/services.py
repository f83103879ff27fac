"""What the nodes work with: made once for a process, shared by every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engines.contract import Engine
from engines.router import Router
from graph.calibration import Calibration
from graph.schema import Context, Language, Subject
from graph.settings import Settings
from images.limits import Limits
from prompts.prompts import Prompts
from prompts.taxonomy import Taxonomy


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
