"""A real receiver for OTLP and LangSmith: an HTTP server in a thread that keeps its requests."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Value = str | int | float | bool


@dataclass
class Received:
    """`sent`: path and body of each request, decompressed."""

    url: str
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def everything(self) -> bytes:
        return b"\n".join(body for _, body in self.sent)

    def spans(self) -> list[Span]:
        """The spans of all requests to the traces path, by start time."""
        batches = [ExportTraceServiceRequest.FromString(body) for path, body in self.sent if path == "/v1/traces"]
        spans = [span for each in batches for of in each.resource_spans for at in of.scope_spans for span in at.spans]
        return sorted(spans, key=lambda span: span.start_time_unix_nano)

    def services(self) -> set[str]:
        batches = [ExportTraceServiceRequest.FromString(body) for _, body in self.sent]
        of = [attribute for each in batches for at in each.resource_spans for attribute in at.resource.attributes]
        return {each.value.string_value for each in of if each.key == "service.name"}


def attributes(span: Span) -> Mapping[str, Value]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in span.attributes}


@contextmanager
def receiving() -> Iterator[Received]:
    """Listens on loopback, and answers every request with `{}`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.sent.append((self.path, decompressed(self.headers.get("content-encoding"), self.body())))
            self.do_GET()

        do_PATCH = do_POST  # noqa: N815

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers["content-length"]))
            chunks = []
            while length := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(length))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Received(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, name="receiver")
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def decompressed(encoding: str | None, body: bytes) -> bytes:
    match encoding:
        case "gzip":
            return gzip.decompress(body)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
        case _:
            return body


def holds(sent: bytes, picture: bytes) -> bool:
    """Whether any 24 bytes of `picture` are in `sent`: bare, in base64 or hex, or as Python or JSON write them."""
    for start in range(0, len(picture) - 24, 24):
        piece = picture[start : start + 24]
        writings = [piece, base64.b64encode(piece), base64.urlsafe_b64encode(piece), piece.hex().encode()]
        python = repr(piece)[2:-1]
        writings += [python.encode(), json.dumps(python)[1:-1].encode(), json.dumps(list(piece))[1:-1].encode()]
        if any(writing in sent for writing in writings):
            return True
    return False
