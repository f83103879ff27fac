"""The words of the project as types: what a run may choose, what it returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, StringConstraints, WithJsonSchema
from pydantic_core.core_schema import any_schema

from onelook.graph.arms import ARMS, ArmName

LANGUAGE_PATTERN = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
Language = Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)]
"""A language tag (BCP 47) such as zh, en or pt-BR."""
ReplyFormat = Literal["json", "compact"]
Target = Literal["each", "record"]
"""What a wanted accuracy is of: the category and the details, each by a threshold of its own, or whole records."""
Status = Literal["ok", "needs_review", "failed"]
Content = Literal["photo", "text", "diagram"]
Resolution = Literal["fixed", "auto"]
Trim = Literal["off", "auto"]


class BinaryFile(Protocol):
    """A file that was opened for reading bytes, or anything that is read like one."""

    def read(self, size: int = -1, /) -> bytes: ...


class PixelArray(Protocol):
    """A `PIL.Image.Image`, or a NumPy array of uint8: height x width x 3 (red, green, blue) or height x width."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


class NamedPicture(Protocol):
    """A picture, and what messages call it; `onelook.images.memory.InMemory` is one."""

    reference: object
    given_name: str | None


Held = Annotated[
    bytearray | memoryview | BinaryFile | PixelArray | NamedPicture,
    GetPydanticSchema(lambda _, __: any_schema()),  # Studio asks for the schema of a graph's input
    WithJsonSchema({"type": "string", "format": "binary"}),
]
Reference = str | PathLike[str] | bytes | Held
"""A picture: path, http(s) URL, data URL, the bytes of a file, a file, or pixels."""

Subject = Reference | Sequence[Reference]
"""What is tagged: one picture, or a list or tuple of several of one subject, which are looked at together."""

Probability = Annotated[float, Field(ge=0, le=1)]
LongEdge = Annotated[int, Field(ge=224, le=2048)]


class Frozen(BaseModel):
    """A value: unknown keys are refused, and nothing changes after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Context(Frozen):
    """What one run may choose. LangGraph Studio shows these fields as a form."""

    arm: ArmName = Field(
        "fused",
        description="The way through the graph. "
        + "; ".join(f"{name}: {arm.description}" for name, arm in ARMS.items())
        + ".",
    )
    reply_format: ReplyFormat = Field("json", description="How a guided reply is written: JSON, or its values only.")
    language: Language = Field("zh", description="The language in which the model reads and writes.")
    resolution: Resolution = Field(
        "fixed", description="How large pictures are sent: all up to long_edge, or as photos, text or diagrams need."
    )
    long_edge: LongEdge = Field(
        768, description="Longest side, in pixels, of the picture that the model sees, where the resolution is fixed."
    )
    trim: Trim = Field(
        "off", description="Whether the plain margins of pages of text and diagrams are cut away before sizing."
    )
    adaptive: bool = Field(
        False, description="Whether to look first at a small picture, and again at full size only when not sure."
    )
    debias: bool = Field(
        False, description="Whether labels are read twice, options in either order, and the probabilities averaged."
    )
    confidence_threshold: Probability = Field(0.85, description="Below this confidence a result needs review.")
    escalate: bool = Field(True, description="Whether a specialist, where there is one, answers hard pictures again.")


class Answer(Frozen):
    """What a reply says, in stable ids: the category, and per attribute the chosen options in taxonomy order."""

    category: str
    details: dict[str, tuple[str, ...]] = {}


class Tag(Frozen):
    """A chosen label: its stable id, its words, and how sure the model was (None: no logprobs came)."""

    id: str
    label: str
    confidence: Probability | None = None


class Usage(Frozen):
    """Tokens of one or more calls, and the model's forward passes for them; None where a server does not say."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    image_tokens: int | None = None
    completion_tokens: int | None = None
    forced_tokens: int | None = Field(
        None, description="Completion tokens that the constraint left no choice about: no pass was made for them alone."
    )
    prefill_passes: int | None = Field(None, description="Forward passes up to the first chosen token.")
    decode_passes: int | None = Field(None, description="Forward passes after it.")
    encoded_images: int | None = Field(None, description="How often the vision encoder computed a picture.")
    reused_images: int | None = Field(
        None, description="How often its output was found in the vision cache; a picture in a cached prefix needs none."
    )

    @property
    def passes(self) -> int | None:
        """All forward passes."""
        if self.prefill_passes is None or self.decode_passes is None:
            return None
        return self.prefill_passes + self.decode_passes

    @classmethod
    def total(cls, parts: Iterable[Usage]) -> Self:
        """Sum the counts that all parts know; parts that know nothing are passed over."""
        known = [counts for part in parts if (counts := part.model_dump(exclude_none=True))]
        names = set.intersection(*map(set, known)) if known else set()
        return cls(**{name: sum(part[name] for part in known) for name in names})


class ErrorRecord(Frozen):
    """An error as a result carries it."""

    kind: str = Field(description="Class name from graph.errors.")
    node: str
    message: str
    picture: int | None = Field(None, description="Which of the subject's pictures cannot be used, counted from 0.")
    hint: str | None = None
    retryable: bool = False
    retry_after_s: float | None = Field(None, description="The server takes no request for so many seconds.")


class Versions(Frozen):
    """What the answer depends on besides the picture."""

    taxonomy: str
    prompts: str
    router: str | None = Field(None, description="In the arm hybrid: the sentences that the router compared with.")
