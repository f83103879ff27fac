"""The server conforms to /openapi.json: schemathesis generates valid and invalid requests from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from onelook.api.app import JSON, build_app
from onelook.engines.scripted import ScriptedEngine
from tests.api import hypothesis_many  # noqa: F401  before the first object is drawn
from tests.api.served import Client, served
from tests.graph.replies import BUILDING
from tests.patience import HANG_S

Operation = schemathesis.APIOperation[Any, Any, Any]

OPERATIONS: list[Operation] = [
    found.ok()
    for found in schemathesis.openapi.from_dict(build_app().openapi()).get_all_operations()
    if isinstance(found, Ok)
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server whose engine always gives the same reply."""
    with served(scripted=ScriptedEngine(lambda request: BUILDING), http={"api_key": "key"}) as address:
        yield address


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_valid_requests_have_documented_responses(operation: Operation, address: str) -> None:
    """No 5xx, and no status, content type or body that is not documented."""
    check_responses(operation, GenerationMode.POSITIVE, address)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.body], ids=lambda operation: operation.label)
def test_invalid_requests_have_documented_responses(operation: Operation, address: str) -> None:
    """The same, and no invalid input is accepted."""
    check_responses(operation, GenerationMode.NEGATIVE, address)


def check_responses(operation: Operation, mode: GenerationMode, address: str) -> None:
    @settings(max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        # Random bytes are valid by the schema, but not a picture.
        excluded: list[CheckFunction] = [positive_data_acceptance] if operation.body else []
        # Forms and headers are text, so a value of a wrong type may read as a right one: test_http_bad_input has some
        # that do not. JSON says what it is.
        if mode is GenerationMode.NEGATIVE and not (case.media_type == JSON and mode_of_body(case) is mode):
            excluded.append(negative_data_rejection)
        case.call_and_validate(
            base_url=address, headers={"Authorization": "Bearer key"}, excluded_checks=excluded, timeout=HANG_S
        )

    ask()


def mode_of_body(case: schemathesis.Case) -> GenerationMode | None:
    assert case.meta is not None
    body = case.meta.components.get(ParameterLocation.BODY)
    return None if body is None else body.mode


async def test_operations_keep_their_ids(demo: Client) -> None:
    """Generated clients name their methods after them."""
    document = (await demo.get("/openapi.json")).json
    ids = {operation["operationId"]: f"{method} {path}" for path, method, operation in operations_of(document)}
    assert ids == {
        "tag": "post /v1/tags",
        "tag_batch": "post /v1/tags/batch",
        "compare_arms": "post /v1/compare",
        "create_job": "post /v1/jobs",
        "list_jobs": "get /v1/jobs",
        "get_job": "get /v1/jobs/{id}",
        "get_job_results": "get /v1/jobs/{id}/results",
        "cancel_job": "post /v1/jobs/{id}/cancel",
        "delete_job": "delete /v1/jobs/{id}",
        "get_taxonomy": "get /v1/taxonomy",
        "get_options": "get /v1/options",
        "draw_graph": "get /v1/graph",
        "list_samples": "get /v1/samples",
        "get_sample": "get /v1/samples/{name}",
        "check_health": "get /healthz",
        "check_readiness": "get /readyz",
        "get_metrics": "get /metrics",
    }


async def test_a_form_and_json_have_the_same_fields(demo: Client) -> None:
    document = (await demo.get("/openapi.json")).json
    choices = {*(await demo.get("/v1/options")).json["context"]["properties"]}
    for path, model, own in (
        ("/v1/tags", "TagsBody", set()),
        ("/v1/compare", "CompareBody", {"arms", "rounds"}),
        ("/v1/tags/batch", "BatchBody", {"ids"}),
        ("/v1/jobs", "BatchBody", {"ids"}),
    ):
        in_form = document["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        in_json = document["components"]["schemas"][model]
        assert {*in_form["properties"]} == {*in_json["properties"]} == {"images", *own, *choices}
        assert "`image`" in in_json["properties"]["images"]["description"]


def operations_of(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


async def test_every_operation_documents_its_problems(demo: Client) -> None:
    document = (await demo.get("/openapi.json")).json
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    assert list(response["content"]) == ["application/problem+json"], where
            if path.startswith("/v1/") or path == "/metrics":
                assert {"401"} <= operation["responses"].keys(), where
                assert operation["security"], where
    for path in ("/v1/tags", "/v1/tags/batch", "/v1/compare"):
        operation = document["paths"][path]["post"]
        assert {"400", "408", "413", "415", "422", "429"} <= operation["responses"].keys()
        assert operation["requestBody"]["content"]["application/json"]["example"]
