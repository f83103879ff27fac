"""`onelook.tag`: the shortest way to a first answer."""

from __future__ import annotations

import logging

import pytest

import onelook
from onelook import quick
from tests.library.conftest import DRAWING, label_of


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> quick._Kept:
    fresh = quick._Kept()
    monkeypatch.setattr(quick, "_kept", fresh)
    return fresh


def test_the_demo_model_answers_where_none_is_named(kept: quick._Kept, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "onelook"):
        result = onelook.tag(DRAWING)
        first = kept._tagger
        onelook.tag([str(DRAWING)])
    assert result.category is not None
    assert result.category.id == label_of(DRAWING)
    assert kept._tagger is first
    assert [record.message[:14] for record in caplog.records] == ["the demo model"]
    assert onelook.tag(DRAWING, onelook.Context(arm="reads")).arm == "reads"
    english = onelook.tag(DRAWING, run={"language": "en"})
    assert english.category is not None
    assert english.category.label == "animal"
    assert kept._tagger is not first
    assert kept._tagger is not None
    kept._tagger.close()


@pytest.mark.usefixtures("kept")
def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(onelook.SettingsError, match="colour"):
        onelook.tag(DRAWING, colour="red")


async def test_it_works_in_a_running_loop(kept: quick._Kept) -> None:
    assert onelook.tag(DRAWING).status == "ok"
    assert kept._tagger is not None
    kept._tagger.close()
