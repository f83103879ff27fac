"""Where a setting's value comes from, and what a wrong one is told."""

from __future__ import annotations

import pytest

from onelook.errors import SettingsError
from onelook.settings.process import load_settings, sources


def test_argument_beats_environment_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().max_attempts == 3
    monkeypatch.setenv("ONELOOK_MAX_ATTEMPTS", "5")
    assert load_settings().max_attempts == 5
    assert load_settings(max_attempts=7).max_attempts == 7
    assert load_settings(max_attempts=None).max_attempts == 5


def test_a_runs_defaults_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_RUN__ARM", "legacy")
    run = load_settings().run
    assert (run.arm, run.reply_format) == ("legacy", "json")


def test_every_setting_is_printed_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_API_KEY", "very-secret")
    monkeypatch.setenv("ONELOOK_RUN__LANGUAGE", "en")
    monkeypatch.setenv("ONELOOK_BASE_URL", "http://me:hush@host/v1")
    arguments = {"engine": "vllm"}
    rows = {row.name: row for row in sources(load_settings(**arguments), arguments)}
    assert (rows["engine"].value, rows["engine"].source) == ("vllm", "argument")
    assert (rows["run.language"].value, rows["run.language"].source) == ("en", "environment")
    assert (rows["timeout_s"].value, rows["timeout_s"].source) == (60.0, "default")
    assert rows["api_key"].source == "environment"
    assert rows["base_url"].value == "http://***@host/v1"
    assert "very-secret" not in str(rows)
    assert all(row.description for row in rows.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [("engine", "magic"), ("temperature", 3), ("concurrency", 0), ("max_image_mb", -1), ("colour", "red")],
)
def test_a_wrong_setting_is_named_with_what_came(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**{name: value})
    assert name in caught.value.message
    assert repr(value) in caught.value.message


def test_a_wrong_value_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_RUN__LONG_EDGE", "100")
    with pytest.raises(SettingsError, match=r"run\.long_edge"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("RESOLUTION__PHOTO_MOST", "100", r"resolution\.photo_most.*got '100'"),
        ("RESOLUTION__TEXT_LEAST", "1100", r"text_least is 1100, above text_most, which is 1024"),
        ("RESOLUTION__CARTOON_MOST", "512", r"resolution\.cartoon_most"),
        ("RUN__RESOLUTION", "huge", r"run\.resolution.*'fixed' or 'auto'.*got 'huge'"),
        ("RUN__ADAPTIVE", "perhaps", r"run\.adaptive.*got 'perhaps'"),
    ],
)
def test_a_resolution_that_cannot_be_is_named(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ONELOOK_{name}", value)
    with pytest.raises(SettingsError, match=told):
        load_settings()


def test_a_key_never_shows_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_API_KEY", "very-secret")
    with pytest.raises(SettingsError) as caught:
        load_settings(concurrency=0)
    assert "very-secret" not in str(caught.value)
