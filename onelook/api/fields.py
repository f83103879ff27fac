"""The fields of a request's body. They have the same names in JSON and in a form, and the same checks.

A form has no lists: a field that is repeated is one. The choices of a run (`onelook.types.Context`) are fields beside
these.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from onelook.engines.base import MAX_IMAGES
from onelook.graph.arms import ArmName
from onelook.types import Frozen

IMAGE, IMAGES = "image", "images"
ONE = "`image` is another name of this field; in JSON one picture can then go without a list."
LONGEST_ID = 256
MAX_ROUNDS = 20

Image = Annotated[
    str,
    Field(
        description="The picture: base64, a data URL or, if the server allows it, an http(s) URL. In a form also a"
        " file.",
        examples=["data:image/jpeg;base64,/9j/4AAQSkZJRg…", "https://example.org/cat.jpg"],
        min_length=1,
    ),
]
Id = Annotated[str, StringConstraints(max_length=LONGEST_ID)]


class TagsBody(Frozen):
    """One subject."""

    images: list[Image] = Field(
        min_length=1, max_length=MAX_IMAGES, description=f"One to five pictures of one subject. {ONE}"
    )


class CompareBody(TagsBody):
    """One subject, several arms."""

    arms: list[ArmName] = Field(
        [], description="Arms to run, one after the other; default: all of them.", max_length=16
    )
    rounds: int = Field(
        1,
        ge=1,
        le=MAX_ROUNDS,
        description="How often each arm is run, to compare their times: every second round in reverse order, and the"
        " picture new to the caches each time. Six rounds are enough for two arms, eight for five.",
    )


class BatchBody(Frozen):
    """Many subjects of one picture each."""

    images: list[Image] = Field(min_length=1, description=f"Pictures, each of a subject of its own. {ONE}")
    ids: list[Id] = Field(
        [],
        description="An id for each picture, in the same order; it comes back with the result. Default: the file's name"
        " in a form, an empty id in JSON.",
    )
