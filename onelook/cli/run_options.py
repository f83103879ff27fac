"""Options of the commands that tag pictures: the choices of a run."""

from __future__ import annotations

from typing import Annotated

from onelook.cli.options import setting
from onelook.graph.arms import ArmName
from onelook.types import ReplyFormat, Resolution, Trim

ArmOption = Annotated[ArmName | None, setting("run.arm", words="The way through the graph: see `onelook graph`.")]
ReplyFormatOption = Annotated[ReplyFormat | None, setting("run.reply_format", "--format")]
ResolutionOption = Annotated[
    Resolution | None,
    setting(
        "run.resolution",
        words="Send all at --long-edge (fixed), or as photos, pages of text and diagrams need (auto).",
    ),
]
LongEdgeOption = Annotated[int | None, setting("run.long_edge")]
TrimOption = Annotated[Trim | None, setting("run.trim")]
AdaptiveOption = Annotated[bool | None, setting("run.adaptive")]
DebiasOption = Annotated[bool | None, setting("run.debias")]
ThresholdOption = Annotated[float | None, setting("run.confidence_threshold", "--threshold")]
EscalateOption = Annotated[bool | None, setting("run.escalate")]
ConcurrencyOption = Annotated[int | None, setting("concurrency")]
BaseUrlsOption = Annotated[
    list[str] | None,
    setting("base_url", words="Address of an OpenAI-compatible server; several: give it again."),
]
