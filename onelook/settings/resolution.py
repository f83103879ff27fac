"""The sizes of pictures by their content, in pixels as sent: no server scales a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from onelook.types import Content, Frozen, LongEdge

CONTENTS: tuple[Content, ...] = get_args(Content)

Least = Annotated[int, Field(ge=56, le=2048)]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The sizes, in pixels, between which a picture is sent unscaled; larger ones are scaled down, smaller ones up.

    `by`: what is measured, the longest side or the side of a square with as many pixels.
    """

    by: Literal["long_edge", "square"]
    least: int
    most: int


def at_most(long_edge: int) -> Bounds:
    """Scaled down to `long_edge` if larger, never scaled up."""
    return Bounds("long_edge", 1, long_edge)


class ResolutionPolicy(Frozen):
    """Picture sizes of `resolution=auto` and `adaptive`, in pixels.

    Text and diagrams are measured by the side of a square, because the pixels per letter matter, not the shape of the
    page.
    """

    first_look: LongEdge = Field(
        448, description="Longest side in the first pass of an adaptive run, and for the router of the arm hybrid."
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
