"""A result in a person's hands: one line, a table's row, what is sure enough."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import onelook
from onelook.engines.scripted import ScriptedReply
from onelook.ledger.model import Ledger
from onelook.result import FLAT_KEYS, SureTags, TagResult
from onelook.types import ErrorRecord, Tag, Usage, Versions
from tests.graph.replies import PORTRAIT
from tests.library.conftest import DRAWING, MakeScripted


def result(**changes: Any) -> TagResult:
    fields: dict[str, Any] = {
        "source": "cat.jpg",
        "status": "ok",
        "category": Tag(id="animal", label="动物", confidence=0.98),
        "details": {
            "species": (Tag(id="cat", label="猫", confidence=0.97),),
            "colours": (Tag(id="white", label="白", confidence=0.95), Tag(id="black", label="黑", confidence=0.6)),
            "accessories": (),
        },
        "arm": "fused",
        "language": "zh",
        "model": "vlm",
        "versions": Versions(taxonomy="1a", prompts="2b"),
        "ledger": Ledger(wall_ms=212.4),
        "usage": Usage(prompt_tokens=300, completion_tokens=20),
    }
    return TagResult(**(fields | changes))


FAILURE = ErrorRecord(kind="EngineTimeout", node="analyze", message="no answer\nin 60 s " + "x" * 200)


def test_its_repr_is_one_line() -> None:
    line = "TagResult(ok, animal 98%, species=cat 97%, colours=white+black 60%, accessories=none, 0.21 s)"
    assert repr(result()) == str(result()) == line


def test_its_repr_says_no_confidence_where_there_is_none_and_shortens_errors() -> None:
    unsure = result(status="needs_review", category=Tag(id="animal", label="动物"), details={}, errors=(FAILURE,))
    shown = repr(unsure)
    assert shown.startswith("TagResult(needs_review, animal, EngineTimeout: no answer in 60 s xxx")
    assert len(shown) < 200
    assert "\n" not in shown


def test_a_row_has_the_same_keys_whatever_happened(scripted: MakeScripted) -> None:
    tagger = scripted()
    rows = [tagger.tag_sync(picture).flat() for picture in (DRAWING, None)]  # type: ignore[arg-type]
    assert [tuple(row)[: len(FLAT_KEYS)] for row in rows] == [FLAT_KEYS, FLAT_KEYS]
    assert {type(value) for row in rows for value in row.values()} <= {str, int, float, type(None)}
    found, failed = rows
    assert (found["source"], found["status"], found["category"]) == (str(DRAWING), "ok", "portrait")
    assert found["details.composition"] == "selfie+half_body"
    assert found["details.composition.confidence"] == 1.0
    assert (failed["status"], failed["category"], failed["error_kind"]) == ("failed", None, "ImageUnreadable")
    assert failed["error"] == "None: not a picture"
    assert tuple(failed) == FLAT_KEYS


def test_a_row_holds_the_least_confidence() -> None:
    row = result().flat()
    assert row["details.colours.confidence"] == row["least_confidence"] == 0.6
    assert row["details.accessories"] == ""
    assert row["details.accessories.confidence"] is None
    unknown = result(details={"species": (Tag(id="cat", label="猫"),)}).flat()
    assert unknown["least_confidence"] is None
    assert unknown["category_confidence"] == 0.98


def test_what_is_sure_enough() -> None:
    animal, cat = Tag(id="animal", label="动物", confidence=0.98), Tag(id="cat", label="猫", confidence=0.97)
    white = Tag(id="white", label="白", confidence=0.95)
    assert result().tags_at(0.98) == SureTags(category=animal)
    assert result().tags_at(0.96) == SureTags(category=animal, details={"species": (cat,)})
    assert result().tags_at(0.9) == SureTags(category=animal, details={"species": (cat,), "colours": (white,)})
    assert result().tags_at(0.99) == SureTags()
    assert not result().tags_at(0.99)
    assert result().tags_at(0.98)


def test_details_are_not_sure_without_their_category() -> None:
    assert not result(category=Tag(id="animal", label="动物", confidence=0.3)).tags_at(0.9).details
    assert not result(category=Tag(id="animal", label="动物")).tags_at(0.0)
    assert not result(category=None, status="failed").tags_at(0.0)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, 90, float("nan")])
def test_a_threshold_is_a_share(threshold: float) -> None:
    with pytest.raises(onelook.SettingsError, match="expected 0 to 1"):
        result().tags_at(threshold)


def test_a_result_without_logprobs_has_nothing_sure(scripted: MakeScripted) -> None:
    found = scripted(lambda _: ScriptedReply(PORTRAIT)).tag_sync(DRAWING)
    assert found.category is not None
    assert found.category.confidence is None
    assert not found.tags_at(0.0)
    assert found.flat()["least_confidence"] is None


def test_it_comes_back_from_json_and_from_pickle(scripted: MakeScripted) -> None:
    found = scripted().tag_sync(DRAWING)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301
    assert copy.deepcopy(found) == found
    again = TagResult.model_validate_json(found.model_dump_json())
    assert again.source == str(DRAWING)
    assert again.flat() == found.flat()


def test_old_results_without_a_source_are_still_read() -> None:
    kept = result().model_dump(exclude={"source"})
    assert TagResult.model_validate(kept).source is None
