"""Options of the commands that tag pictures, and what they choose."""

from __future__ import annotations

from typing import Annotated

import typer

from onelook.graph.arms import ArmName
from onelook.types import ReplyFormat, Resolution

ArmOption = Annotated[ArmName | None, typer.Option("--arm", help="The way through the graph: see `onelook graph`.")]
ReplyFormatOption = Annotated[
    ReplyFormat | None, typer.Option("--reply-format", "--format", help="How a guided reply is written.")
]
ResolutionOption = Annotated[
    Resolution | None,
    typer.Option(
        "--resolution",
        help="Send all at --long-edge (fixed), or as photos, pages of text and diagrams need (auto).",
    ),
]
LongEdgeOption = Annotated[int | None, typer.Option("--long-edge", help="Longest side sent, in pixels: 224 to 2048.")]
AdaptiveOption = Annotated[
    bool | None,
    typer.Option(
        "--adaptive/--no-adaptive", help="Look at a small picture first, and at the full one only when not sure."
    ),
]
DebiasOption = Annotated[
    bool | None,
    typer.Option("--debias/--no-debias", help="Arm reads: ask with the options in either order, and average."),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--confidence-threshold", "--threshold", help="Below this confidence a result needs review."),
]
EscalateOption = Annotated[
    bool | None,
    typer.Option(
        "--escalate/--no-escalate", help="Whether a specialist, where one is set, answers hard pictures again."
    ),
]
ConcurrencyOption = Annotated[int | None, typer.Option("--concurrency", help="Pictures in flight at once.")]
BaseUrlsOption = Annotated[
    list[str] | None,
    typer.Option("--base-url", help="Server address, such as http://host:8000/v1; several servers: give it again."),
]
