"""A streaming parser for multipart/form-data (RFC 7578): files stay bytes in memory, other parts become text."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from onelook.api.problem import Problem, bad_field

MAX_FIELDS = 64
LONGEST_FIELD = 4096


@dataclass(frozen=True, slots=True)
class Upload:
    """A part with a file name: its content is a picture's."""

    name: str
    data: bytes


@dataclass(slots=True)
class Form:
    """A parsed form: the values of each field in the order of the parts."""

    fields: dict[str, list[str | Upload]] = field(default_factory=dict)
    files: int = 0
    texts: int = 0


class FormReader:
    """`write` takes the pieces of a body of `content_type`; `finish` returns the form.

    Both raise:
        Problem: the body is malformed (400), or has too many or too large parts (422).
    """

    def __init__(self, content_type: str, *, max_files: int) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise malformed("Content-Type has no boundary")
        self._form = Form()
        self._ended = False
        self._max_files = max_files
        self._max_texts = MAX_FIELDS + 2 * max_files  # pictures by URL, and an id for each
        self._header = bytearray()
        self._value = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._part_data,
                    "on_part_end": self._part_ends,
                    "on_end": self._body_ends,
                },
            )
        except FormParserError as error:
            raise malformed(str(error)) from None

    def write(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise malformed(str(error)) from None

    def finish(self) -> Form:
        if not self._ended:
            raise malformed("the body ends before its last boundary")
        return self._form

    def _part_begins(self) -> None:
        self._disposition = ""
        self._pieces: list[bytes] = []
        self._size = 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            # Browsers write names in the page's encoding, today UTF-8 (RFC 7578, 5.1); the parser expects Latin-1.
            self._disposition = self._value.decode("latin-1")
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise malformed("a part has no Content-Disposition: form-data with a name")
        self._field = options[b"name"].decode(errors="replace")
        filename = options.get(b"filename")
        self._filename = None if filename is None else filename.decode(errors="replace")
        if self._filename is not None and self._form.files >= self._max_files:
            raise bad_field(self._field, f"more than {self._max_files} files")
        if self._field not in self._form.fields and len(self._form.fields) >= MAX_FIELDS:
            raise bad_field(self._field, f"more than {MAX_FIELDS} form fields")
        if self._filename is None and self._form.texts >= self._max_texts:
            raise bad_field(self._field, f"more than {self._max_texts} form fields")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._filename is None and self._size > LONGEST_FIELD:
            raise bad_field(self._field, f"longer than {LONGEST_FIELD} bytes; a picture's part needs a filename")
        self._pieces.append(data[start:end])

    def _part_ends(self) -> None:
        data = b"".join(self._pieces)
        self._pieces = []
        values = self._form.fields.setdefault(self._field, [])
        if self._filename is not None:
            self._form.files += 1
            values.append(Upload(self._filename, data))
            return
        self._form.texts += 1
        try:
            values.append(data.decode())
        except UnicodeDecodeError:
            raise bad_field(self._field, "is not UTF-8 text") from None

    def _body_ends(self) -> None:
        self._ended = True


def malformed(reason: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        f"the multipart body is malformed: {reason}",
        kind="BrokenMultipart",
        hint='send it as curl does: curl -F "image=@picture.jpg" URL',
        errors=[("body", reason)],
    )
