"""A taxonomy in any languages: they are those of its labels, and what a run may choose is one of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from onelook.errors import SettingsError, TaxonomyError
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import parse_taxonomy
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.choices import complete, default_choices
from onelook.types import Context, Language
from tests.prompts.random_taxonomies import ANY_LANGUAGES, documents, taxonomies

ANY = settings(max_examples=30, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


def outcome(document: dict[str, Any]) -> Taxonomy | str:
    """The taxonomy, or what is wrong with it: labels that a compact reply cannot tell apart."""
    try:
        return parse_taxonomy(document)
    except TaxonomyError as error:
        return error.message


@ANY
@given(document=documents(ANY_LANGUAGES))
def test_languages_need_not_be_declared(document: dict[str, Any]) -> None:
    declared = outcome(document)
    found = outcome({key: value for key, value in document.items() if key != "languages"})
    if isinstance(declared, Taxonomy) and isinstance(found, Taxonomy):
        assert found.languages == declared.languages
    assert found == declared


@ANY
@given(taxonomy=taxonomies(ANY_LANGUAGES))
def test_every_language_of_a_taxonomy_has_prompts_with_its_labels(taxonomy: Taxonomy) -> None:
    for language in taxonomy.languages:
        prompts = Prompts(taxonomy, language)
        for label in taxonomy.labels(language).values():
            assert label in prompts.system
            assert label in prompts.legacy_category().text


@ANY
@given(taxonomy=taxonomies(ANY_LANGUAGES), other=st.from_regex("[a-z]{3}-x9", fullmatch=True))
def test_a_run_chooses_among_the_languages_of_the_taxonomy(taxonomy: Taxonomy, other: Language) -> None:
    assume(other not in taxonomy.languages)
    defaults = default_choices(Context(), taxonomy.languages)
    assert defaults.language == ("zh" if "zh" in taxonomy.languages else taxonomy.languages[0])
    for language in taxonomy.languages:
        assert complete(Context(language=language), defaults).language == language
    schema = type(defaults).model_json_schema()["properties"]["language"]
    assert schema.get("enum", [schema.get("const")]) == list(taxonomy.languages)
    listed = ", ".join(taxonomy.languages)
    with pytest.raises(SettingsError, match="language") as refused:
        complete(Context(language=other), defaults)
    assert f"has labels in {listed}, not in {other}" in refused.value.message
    assert f"--language {taxonomy.languages[0]}" in (refused.value.hint or "")


@ANY
@given(document=documents(ANY_LANGUAGES), data=st.data())
def test_a_text_that_lacks_a_language_is_named(document: dict[str, Any], data: st.DataObject) -> None:
    """The others have it, so it is one mistake in one place."""
    languages = document.pop("languages")
    texts = [category[key] for category in document["categories"].values() for key in ("label", "when")]
    assume(len(texts) > 2)
    category = data.draw(st.sampled_from(sorted(document["categories"])))
    language = data.draw(st.sampled_from(languages))
    document = json.loads(json.dumps(document))
    del document["categories"][category]["when"][language]
    with pytest.raises(TaxonomyError) as caught:
        parse_taxonomy(document)
    assert f"categories.{category}.when: has no text in {language}" in caught.value.message
