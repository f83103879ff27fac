"""Requests as data: the pictures, and the choices of their runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints, ValidationError
from starlette.requests import Request

from onelook.api.admission import Reservation
from onelook.api.body import media_type, read_body
from onelook.api.multipart import Form, FormReader
from onelook.api.problem import bad_field, bad_fields
from onelook.engines.base import MAX_IMAGES
from onelook.graph.arms import ArmName
from onelook.settings.http import HttpSettings
from onelook.types import Context, Frozen, Reference, Subject

JSON, MULTIPART = "application/json", "multipart/form-data"
IMAGE, TIMEOUT = "image", "X-Timeout-Seconds"
NUMBER = re.compile(
    r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
)  # float() also accepts 1_0, inf and the digits of other scripts
URL = re.compile("https?://", re.IGNORECASE)
MOST_JSON_VALUES = 20_000

Image = Annotated[
    str,
    Field(
        description="The picture: base64, a data URL or, if the server allows it, an http(s) URL.",
        examples=["https://example.org/cat.jpg", "data:image/jpeg;base64,/9j/4AAQSkZJRg…"],
        min_length=1,
    ),
]
Images = Annotated[list[Image], Field(min_length=1, max_length=MAX_IMAGES, description="Pictures of one subject.")]
RunContext = Annotated[Context, Field(description="The choices of the run; see GET /v1/options.")]


class TagsBody(Frozen):
    """One subject."""

    images: Images
    context: RunContext = Context()


class CompareBody(Frozen):
    """One subject, several arms."""

    images: Images
    arms: list[ArmName] = Field(
        [], description="Arms to run, one after the other; default: all of them.", max_length=16
    )
    context: RunContext = Context()


class Arms(Frozen):
    """The arms of a form."""

    arms: list[ArmName] = Field(max_length=16)


class Item(Frozen):
    """One picture of a batch."""

    id: Annotated[str, StringConstraints(max_length=256)] = Field("", description="Returned with the result.")
    image: Image


class BatchBody(Frozen):
    """Many subjects of one picture each."""

    items: list[Item] = Field(min_length=1)
    context: RunContext = Context()


Body = TypeVar("Body", TagsBody, CompareBody, BatchBody)


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """`field`: the one with the pictures. `ids` are set in a batch, `arms` in a comparison that names them."""

    subjects: Sequence[Subject]
    ids: Sequence[str]
    arms: Sequence[ArmName]
    context: Context
    field: str


class RequestReader:
    """Reads and checks requests. `choices`: those of the process (`onelook.settings.choices.default_choices`)."""

    def __init__(self, settings: HttpSettings, choices: Context) -> None:
        self._settings = settings
        self._choices = type(choices)

    async def tags(self, request: Request, reservation: Reservation) -> ParsedRequest:
        """One to five pictures of one subject. Raises `Problem`, or `ClientDisconnect` if the client disconnects."""
        body = await self._read(request, reservation, TagsBody, max_files=MAX_IMAGES)
        if isinstance(body, Form):
            return self._from_form(body, [[file.data for file in body.files]])
        return self._parsed([self._references(body.images)], context=body.context, field="images")

    async def compare(self, request: Request, reservation: Reservation) -> ParsedRequest:
        """As `tags`, with the arms to compare."""
        body = await self._read(request, reservation, CompareBody, max_files=MAX_IMAGES)
        if isinstance(body, Form):
            return self._from_form(body, [[file.data for file in body.files]], arms=body.fields.pop("arms", []))
        return self._parsed([self._references(body.images)], arms=body.arms, context=body.context, field="images")

    async def batch(self, request: Request, reservation: Reservation) -> ParsedRequest:
        """Many subjects of one picture each, and their ids."""
        body = await self._read(request, reservation, BatchBody, max_files=self._settings.max_batch)
        if isinstance(body, Form):
            return self._from_form(body, [file.data for file in body.files], ids=[file.name for file in body.files])
        if len(body.items) > self._settings.max_batch:
            raise bad_field("items", f"{len(body.items)} pictures, more than {self._settings.max_batch}")
        references = [self._reference(item.image, f"items.{index}.image") for index, item in enumerate(body.items)]
        return self._parsed(references, ids=[item.id for item in body.items], context=body.context, field="items")

    async def _read(
        self, request: Request, reservation: Reservation, model: type[Body], *, max_files: int
    ) -> Body | Form:
        if media_type(request, JSON, MULTIPART) == MULTIPART:
            reader = FormReader(request.headers["Content-Type"], max_files=max_files)
            await read_body(request, self._settings, reservation, reader.write)
            return reader.finish()
        pieces: list[bytes] = []
        await read_body(request, self._settings, reservation, pieces.append)
        body = b"".join(pieces)
        # A parsed value takes far more memory than its text, so values are counted first; base64 has no comma.
        if sum(map(body.count, (b",", b"[", b"{"))) > MOST_JSON_VALUES:
            raise bad_field("body", f"more than {MOST_JSON_VALUES} JSON values")
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise bad_fields(error) from None

    def _from_form(
        self, form: Form, subjects: Sequence[Subject], *, ids: Sequence[str] = (), arms: Sequence[str] = ()
    ) -> ParsedRequest:
        for file in form.files:
            if file.field != IMAGE:
                raise bad_field(file.field, f"is no field for files; send them in the field {IMAGE}")
        if not form.files:
            raise bad_field(IMAGE, "has no picture", hint='send one as curl does: curl -F "image=@picture.jpg" URL')
        for name, values in form.fields.items():
            if len(values) > 1:
                raise bad_field(name, f"is set {len(values)} times; set it once")
        try:
            checked = Arms(arms=arms).arms if arms else ()
        except ValidationError as error:
            raise bad_fields(error) from None
        return self._parsed(
            subjects, ids=ids, arms=checked, context={name: values[0] for name, values in form.fields.items()}
        )

    def _parsed(
        self,
        subjects: Sequence[Subject],
        *,
        context: Context | Mapping[str, Any],
        ids: Sequence[str] = (),
        arms: Sequence[ArmName] = (),
        field: str = IMAGE,
    ) -> ParsedRequest:
        in_json = isinstance(context, Context)
        chosen = context.model_dump(exclude_unset=True) if isinstance(context, Context) else context
        try:
            choices = self._choices.model_validate(chosen)
        except ValidationError as error:
            raise bad_fields(error, "context." if in_json else "") from None
        return ParsedRequest(subjects, ids, arms, choices, field)

    def _references(self, images: Sequence[str]) -> list[Reference]:
        return [self._reference(image, f"images.{index}") for index, image in enumerate(images)]

    def _reference(self, image: str, field: str) -> Reference:
        """The reference to a picture for the graph. It is never a path: a caller must not read this machine's files."""
        if URL.match(image):
            if not self._settings.allow_urls:
                raise bad_field(
                    field,
                    "this server does not fetch pictures by URL",
                    hint="send the picture itself, or set ONELOOK_HTTP__ALLOW_URLS=true on the server",
                )
            return image
        return image if image[:5].lower() == "data:" else f"data:;base64,{image}"


def timeout_s(request: Request, longest_s: float) -> float:
    """How long the caller waits for a picture, in seconds: the header X-Timeout-Seconds, at most `longest_s`.

    Raises:
        Problem: the header is not a positive number (422).
    """
    given = request.headers.get(TIMEOUT)
    if given is None:
        return longest_s
    seconds = float(given) if NUMBER.fullmatch(given) else 0.0
    if not seconds > 0:
        raise bad_field(TIMEOUT, "must be a positive number of seconds")
    return min(seconds, longest_s)
