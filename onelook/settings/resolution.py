"""How large pictures are sent, by what they show. All are real pixels: no server is asked to scale anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from onelook.types import Content, Frozen, LongEdge

CONTENTS: tuple[Content, ...] = get_args(Content)

Least = Annotated[int, Field(ge=56, le=2048)]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which sizes, in pixels, a picture is sent as it is; a larger one is scaled down, a smaller one up.

    `by`: sizes of the longest side, or of a square with as many pixels.
    """

    by: Literal["long_edge", "square"]
    least: int
    most: int


def at_most(long_edge: int) -> Bounds:
    """Scaled down to `long_edge` where that is needed, and never up."""
    return Bounds("long_edge", 1, long_edge)


class ResolutionPolicy(Frozen):
    """What a run's choices `resolution=auto` and `adaptive` mean in pixels.

    Text and diagrams are measured by the square: what counts there is how many pixels a letter has, whatever the shape
    of the page.
    """

    first_look: LongEdge = Field(
        448, description="Longest side that an adaptive run looks at first, and by which the arm hybrid is routed."
    )
    photo_least: Least = Field(448, description="Photos, longest side: smaller ones are scaled up to this.")
    photo_most: LongEdge = Field(768, description="Photos, longest side: larger ones are scaled down to this.")
    text_least: Least = Field(512, description="Pages of text, side of a square with as many pixels: at least.")
    text_most: LongEdge = Field(1024, description="Pages of text, side of a square with as many pixels: at most.")
    diagram_least: Least = Field(768, description="Diagrams, side of a square with as many pixels: at least.")
    diagram_most: LongEdge = Field(1536, description="Diagrams, side of a square with as many pixels: at most.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for content in CONTENTS:
            bounds = self.of(content)
            if bounds.least > bounds.most:
                raise ValueError(f"{content}_least is {bounds.least}, above {content}_most, which is {bounds.most}")
        return self

    def of(self, content: Content) -> Bounds:
        """The bounds for this kind of picture."""
        match content:
            case "photo":
                return Bounds("long_edge", self.photo_least, self.photo_most)
            case "text":
                return Bounds("square", self.text_least, self.text_most)
            case "diagram":
                return Bounds("square", self.diagram_least, self.diagram_most)

    def all(self) -> tuple[Bounds, ...]:
        """The bounds for every kind of picture."""
        return tuple(self.of(content) for content in CONTENTS)
