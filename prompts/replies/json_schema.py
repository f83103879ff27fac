"""The type of a JSON reply: a union discriminated by category, made from the taxonomy, and its JSON Schema."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from onelook.prompts.replies.scope import Scope
from onelook.prompts.taxonomy.model import Attribute
from onelook.types import Language

CATEGORY = "primary_category"
DETAILS = "details"

# JSON Schema words that are the same for every reader; the rest is Pydantic's (titles, OpenAPI's discriminator).
KEPT = {"type", "properties", "required", "additionalProperties", "items", "maxItems", "enum", "const", "anyOf"}


def reply_type(scope: Scope) -> TypeAdapter[dict[str, Any]]:
    """The Pydantic type of the JSON replies to one question: details if and only if the category has them.

    Categories with the same attributes are one branch of the union.
    """
    alike: dict[str, list[str]] = {}
    for category in scope.categories:
        content = [(id_, attribute.model_dump_json()) for id_, attribute in scope.attributes(category).items()]
        alike.setdefault(str(content), []).append(category)
    branches = [_branch(scope, categories) for categories in alike.values()]
    reply: Any = branches[0] if len(branches) == 1 else Annotated[reduce(or_, branches), Field(discriminator=CATEGORY)]
    return TypeAdapter(reply)


def schema(reply: TypeAdapter[dict[str, Any]]) -> dict[str, Any]:
    """The type as a strict JSON Schema in the common subset of OpenAI-compatible servers and xgrammar.

    `oneOf` becomes `anyOf` (few servers know it): the branches' constants differ, so no value fits two of them. The
    values of an attribute that several branches have are in `$defs`, everything else stands where it is used.
    """
    document = reply.json_schema()
    return _with_references(_plain(document, document.get("$defs", {})))


def _with_references(document: dict[str, Any]) -> dict[str, Any]:
    """`document`, with what several of its branches say of an attribute written once, where that is shorter."""
    values = [
        branch["properties"][DETAILS]["properties"]
        for branch in document.get("anyOf", [])
        if DETAILS in branch["properties"]
    ]
    counts = Counter((id_, json.dumps(value)) for properties in values for id_, value in properties.items())
    names: dict[tuple[str, str], str] = {}
    for (id_, content), count in counts.items():
        name = id_ if id_ not in names.values() else f"{id_}-{len(names)}"
        written, reference = len(f'"{name}":{content}'), len(json.dumps({"$ref": f"#/$defs/{name}"}))
        if written + count * reference < count * len(content):
            names[id_, content] = name
    if not names:
        return document
    for properties in values:
        for id_, value in properties.items():
            if name := names.get((id_, json.dumps(value))):
                properties[id_] = {"$ref": f"#/$defs/{name}"}
    return {**document, "$defs": {name: json.loads(content) for (_, content), name in names.items()}}


def _plain(node: dict[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _plain(defs[node["$ref"].rpartition("/")[2]], defs)
    plain: dict[str, Any] = {}
    for word, value in node.items():
        if word == "oneOf":
            plain["anyOf"] = [_plain(branch, defs) for branch in value]
        elif word == "properties":
            plain[word] = {key: _plain(child, defs) for key, child in value.items()}
        elif word == "items":
            plain[word] = _plain(value, defs)
        elif word in KEPT:
            plain[word] = value
    if plain.get("type") == "object":
        plain.setdefault("properties", {})
        plain.setdefault("required", [])
    return plain


def _branch(scope: Scope, categories: Sequence[str]) -> Any:
    first = categories[0]
    values = {key: _value(attribute, scope.language) for key, attribute in scope.attributes(first).items()}
    if scope.part == "details":
        return _object(f"{first}_details", values)
    keys: dict[str, Any] = {CATEGORY: Literal.__getitem__(tuple(map(scope.label, categories)))}
    if scope.part == "everything":
        keys[DETAILS] = _object(f"{first}_details", values)
    return _object(first, keys)


def _object(name: str, keys: Mapping[str, Any]) -> Any:
    """A dict with exactly these keys. Not a model: an attribute may be called `copy` or `model_fields`."""
    return with_config(ConfigDict(extra="forbid", strict=True))(TypedDict(name, dict(keys)))  # type: ignore[operator]


def _value(attribute: Attribute, language: Language) -> Any:
    labels = tuple(attribute.labels(language).values())
    one: Any = Literal.__getitem__(labels)
    if attribute.choose == "one":
        return one
    return Annotated[list[one], Field(max_length=len(labels)), AfterValidator(_no_repeat)]


def _no_repeat(labels: list[str]) -> list[str]:
    """The schema's keyword for this is `uniqueItems`, but grammar engines ignore or refuse it."""
    if repeated := {label for label in labels if labels.count(label) > 1}:
        raise PydanticCustomError("repeated", "{labels} more than once", {"labels": ", ".join(sorted(repeated))})
    return labels
