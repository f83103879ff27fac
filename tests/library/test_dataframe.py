"""Results as a pandas table."""

from __future__ import annotations

import sys

import pandas
import pytest

import onelook
from onelook.result import FLAT_KEYS
from tests.library.conftest import DRAWING, MakeScripted


def test_results_become_rows(drawn: onelook.TagResult, scripted: MakeScripted) -> None:
    failed = scripted().tag_sync(None)  # type: ignore[arg-type]
    table = onelook.to_dataframe([drawn, failed])
    assert list(table.columns) == list(drawn.flat())
    assert list(table["status"]) == ["ok", "failed"]
    assert list(table["category"].fillna("")) == ["animal", ""]
    assert table["category_confidence"].mean() == drawn.flat()["category_confidence"]


def test_what_tag_many_yields_comes_in_the_order_of_the_pictures(scripted: MakeScripted) -> None:
    pictures = [DRAWING, None, DRAWING]
    table = onelook.to_dataframe(scripted().tag_many_sync(pictures))  # type: ignore[arg-type]
    assert list(table["status"]) == ["ok", "failed", "ok"]
    assert list(table.index) == [0, 1, 2]
    assert isinstance(table, pandas.DataFrame)


def test_no_results_give_an_empty_table() -> None:
    table = onelook.to_dataframe([])
    assert len(table) == 0
    assert tuple(table.columns) == FLAT_KEYS


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(onelook.SettingsError, match="run `pip install pandas`"):
        onelook.to_dataframe([])
