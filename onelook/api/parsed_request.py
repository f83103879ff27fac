"""Requests as data: the pictures, and the choices of their runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from onelook.api.admission import Reservation
from onelook.api.body import media_type, read_body
from onelook.api.fields import IMAGE, IMAGES, LONGEST_ID, BatchBody, CompareBody, TagsBody
from onelook.api.json_body import read_json
from onelook.api.multipart import Form, FormReader, Upload
from onelook.api.names import shown_name
from onelook.api.problem import bad_field, bad_fields
from onelook.engines.base import MAX_IMAGES
from onelook.graph.arms import ArmName
from onelook.images.memory import InMemory
from onelook.images.source import describe, is_data_url, is_url
from onelook.settings.http import HttpSettings
from onelook.types import Context, Reference, Subject

JSON, MULTIPART = "application/json", "multipart/form-data"
TIMEOUT, LEDGER = "X-Timeout-Seconds", "ledger"
NUMBER = re.compile(
    r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
)  # float() also accepts 1_0, inf and the digits of other scripts

ELSEWHERE = {
    "context": 'its choices are fields beside the pictures: {"images": ["…"], "arm": "reads"}',
    "items": 'the pictures of a batch are the field images, their ids the field ids: {"images": ["…"], "ids": ["…"]}',
}
"""Fields that a caller may expect, and what to write instead."""

Body = TypeVar("Body", TagsBody, CompareBody, BatchBody)
Picture = str | Upload


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """`names`: what a result calls each subject; None leaves that to the tagger. `ids` are set in a batch, `arms` in a
    comparison that names them, `rounds` in one that repeats them. `field`: the one with the pictures, as the
    caller wrote it. `several`: they are of one subject, and more than one."""

    subjects: Sequence[Subject]
    names: Sequence[str | None]
    context: Context
    field: str
    ids: Sequence[str] = ()
    arms: Sequence[ArmName] = ()
    rounds: int = 1
    several: bool = False

    def field_of(self, picture: int | None) -> str:
        """The path of one picture of the only subject, as errors name it; None: which one is not known."""
        return f"{self.field}.{picture}" if self.several and picture is not None else self.field


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a request, and the field that holds them."""

    given: Sequence[Picture]
    field: str
    references: Sequence[Reference]

    def path(self, index: int) -> str:
        return f"{self.field}.{index}"

    def name(self, index: int) -> str | None:
        """The file's name, or the URL without its secrets; None for what has neither."""
        given = self.given[index]
        if isinstance(given, Upload):
            return shown_name(given.name) or None
        return describe(given) if is_url(given) else None


class RequestReader:
    """Reads and checks requests. `context`: the type of a run's choices, with the defaults of this process
    (`onelook.settings.choices.default_choices`)."""

    def __init__(self, settings: HttpSettings, context: type[Context]) -> None:
        self._settings = settings
        self._context = context

    async def tags(self, request: Request, reservation: Reservation) -> ParsedRequest:
        """One to five pictures of one subject. Raises `Problem`, or `ClientDisconnect` if the client disconnects."""
        _, pictures, context = await self._read(request, reservation, TagsBody, most=MAX_IMAGES)
        return _one_subject(pictures, context)

    async def compare(self, request: Request, reservation: Reservation) -> ParsedRequest:
        """As `tags`, with the arms to compare."""
        body, pictures, context = await self._read(request, reservation, CompareBody, most=MAX_IMAGES)
        return replace(_one_subject(pictures, context), arms=body.arms, rounds=body.rounds)

    async def batch(self, request: Request, reservation: Reservation) -> ParsedRequest:
        """Many subjects of one picture each, and their ids."""
        most = self._settings.max_batch
        body, pictures, context = await self._read(request, reservation, BatchBody, most=most)
        count = len(pictures.given)
        if count > most:
            raise bad_field(pictures.field, f"{count} pictures, more than {most}")
        if body.ids and len(body.ids) != count:
            raise bad_field("ids", f"{len(body.ids)} ids for {count} pictures; send one for each, in their order")
        ids = body.ids or [each.name if isinstance(each, Upload) else "" for each in pictures.given]
        for index, each in enumerate(ids):
            if len(each) > LONGEST_ID:
                raise bad_field(pictures.path(index), f"the file's name is longer than {LONGEST_ID} characters")
        names = [shown_name(each) or pictures.name(index) or pictures.path(index) for index, each in enumerate(ids)]
        return ParsedRequest(pictures.references, names, context, pictures.field, ids=ids)

    async def _read(
        self, request: Request, reservation: Reservation, model: type[Body], *, most: int
    ) -> tuple[Body, Pictures, Context]:
        """The body's own fields, the pictures, and the run's choices."""
        if media_type(request, JSON, MULTIPART) == MULTIPART:
            form = FormReader(request.headers["Content-Type"], max_files=most)
            await read_body(request, self._settings, reservation, form.write)
            fields = _fields_of_form(form.finish(), model)
        else:
            pieces: list[bytes] = []
            await read_body(request, self._settings, reservation, pieces.append)
            fields = read_json(b"".join(pieces))
        for name, instead in ELSEWHERE.items():
            if name in fields:
                raise bad_field(name, "is no field of this route", hint=instead)
        field = IMAGE if IMAGE in fields else IMAGES
        if field == IMAGE:  # one picture, or a list
            if IMAGES in fields:
                raise bad_field(IMAGE, "is another name of images; send one of the two")
            image = fields.pop(IMAGE)
            fields[IMAGES] = image if isinstance(image, list) else [image]
        given = fields.get(IMAGES)
        if isinstance(given, list):  # the models check the texts; a file's bytes are for the graph
            fields[IMAGES] = ["file" if isinstance(each, Upload) else each for each in given]
        body, context = self._checked(model, fields, field)
        found: list[Picture] = list(given or ())
        several = len(found) > 1
        references = [self._reference(each, f"{field}.{index}", several) for index, each in enumerate(found)]
        return body, Pictures(found, field, references), context

    def _checked(self, model: type[Body], fields: Mapping[str, Any], field: str) -> tuple[Body, Context]:
        """Raises `Problem` with what is wrong in either of them."""
        of_run = {name: value for name, value in fields.items() if name in self._context.model_fields}
        own = {name: value for name, value in fields.items() if name not in of_run}
        body, of_body = _validated(model, own)
        context, of_context = _validated(self._context, of_run)
        if body is None or context is None:
            raise bad_fields(*of_body, *of_context, renamed={IMAGES: field})
        return body, context

    def _reference(self, picture: Picture, path: str, several: bool) -> Reference:
        """The reference to a picture for the graph. It is never a path: a caller must not read this machine's files.

        Messages name it by its upload's name, or, where there are several, by `path`.
        """
        if isinstance(picture, Upload):
            name = shown_name(picture.name) or (path if several else "")
            return InMemory(picture.data, name) if name else picture.data
        if is_url(picture):
            if not self._settings.allow_urls:
                raise bad_field(
                    path,
                    "this server does not fetch pictures by URL",
                    hint="send the picture itself, or set ONELOOK_HTTP__ALLOW_URLS=true on the server",
                )
            return picture
        kind = "data URL" if is_data_url(picture) else "base64"
        url = picture if is_data_url(picture) else f"data:;base64,{picture}"
        return InMemory(url, f"{path} ({kind})") if several else url


Checked = TypeVar("Checked", bound=BaseModel)


def _validated(model: type[Checked], fields: Mapping[str, Any]) -> tuple[Checked | None, list[ValidationError]]:
    try:
        return model.model_validate(fields), []
    except ValidationError as error:
        return None, [error]


def _one_subject(pictures: Pictures, context: Context) -> ParsedRequest:
    names = [pictures.name(index) for index in range(len(pictures.given))]
    if len(names) == 1:
        (name,) = names
    else:
        name = " + ".join(each or pictures.path(index) for index, each in enumerate(names))
    return ParsedRequest([list(pictures.references)], [name], context, pictures.field, several=len(names) > 1)


def _fields_of_form(form: Form, model: type[BaseModel]) -> dict[str, Any]:
    """The form's fields as JSON has them: those that `model` lists are lists, the others are set once."""
    lists = {IMAGE, *(name for name, field in model.model_fields.items() if get_origin(field.annotation) is list)}
    fields: dict[str, Any] = {}
    for name, values in form.fields.items():
        if name not in (IMAGE, IMAGES) and any(isinstance(value, Upload) for value in values):
            raise bad_field(name, f"is no field for files; send them in the field {IMAGES}")
        if name not in lists and len(values) > 1:
            raise bad_field(name, f"is set {len(values)} times; set it once")
        fields[name] = values if name in lists else values[0]
    if not fields.keys() & {IMAGE, IMAGES}:
        raise bad_field(IMAGES, "has no picture", hint='send one as curl does: curl -F "image=@picture.jpg" URL')
    return fields


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


def wants_ledger(request: Request) -> bool:
    """Whether the results have their ledgers: the query parameter `ledger`, true or false; default: true.

    Raises:
        Problem: another value, or another query parameter, which would be ignored (422).
    """
    for name in request.query_params:
        if name != LEDGER:
            raise bad_field(name, "is no query parameter of this route", hint="the choices of a run are in the body")
    values = request.query_params.getlist(LEDGER)
    if len(values) > 1 or not set(values) <= {"true", "false"}:
        raise bad_field(LEDGER, "must be true or false, once")
    return values != ["false"]
