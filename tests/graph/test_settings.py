"""Where a setting's value comes from, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from onelook.errors import SettingsError
from onelook.settings.process import load_settings, sources


def test_argument_beats_environment_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().max_attempts == 3
    monkeypatch.setenv("ONELOOK_MAX_ATTEMPTS", "5")
    assert load_settings().max_attempts == 5
    assert load_settings(max_attempts=7).max_attempts == 7
    assert load_settings(max_attempts=None).max_attempts == 5


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a settings file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "onelook.toml").write_text(
        'max_attempts = 4\ntaxonomy = "mine.yaml"\n[run]\narm = "reads"\nlanguage = "en"\n[router]\nthreshold = 0.5\n'
    )
    return tmp_path


def test_argument_beats_environment_beats_file_beats_default(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert (settings.max_attempts, settings.concurrency, settings.run.arm) == (4, 8, "reads")
    monkeypatch.setenv("ONELOOK_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("ONELOOK_RUN__ARM", "legacy")
    settings = load_settings()
    assert (settings.max_attempts, settings.run.arm, settings.run.language) == (5, "legacy", "en")
    assert load_settings(max_attempts=7).max_attempts == 7
    assert "language" in settings.run.model_fields_set


def test_each_value_comes_with_its_origin_and_the_file_with_its_name(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELOOK_RUN__ARM", "legacy")
    monkeypatch.setenv("ONELOOK_ROUTER", '{"temperature": 2}')
    arguments = {"engine": "vllm"}
    rows = {row.name: row for row in sources(load_settings(**arguments), arguments)}
    assert {name: rows[name].source for name in ("engine", "run.arm", "run.language", "concurrency")} == {
        "engine": "option",
        "run.arm": "environment",
        "run.language": "file",
        "concurrency": "default",
    }
    assert (rows["router.temperature"].source, rows["router.threshold"].source) == ("environment", "file")
    assert (rows["config"].value, rows["config"].source) == ("onelook.toml", "default")


def test_the_file_can_be_named_and_its_paths_begin_at_its_folder(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert load_settings().max_attempts == 3
    settings = load_settings(config=here / "onelook.toml")
    assert (settings.max_attempts, settings.taxonomy) == (4, here / "mine.yaml")
    monkeypatch.setenv("ONELOOK_CONFIG", str(here / "onelook.toml"))
    assert load_settings().taxonomy == here / "mine.yaml"
    with pytest.raises(SettingsError, match=r"the settings file gone\.toml does not exist"):
        load_settings(config="gone.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_atempts = 4", r"onelook\.toml: max_atempts is no setting \(did you mean max_attempts\?\)"),
        ('[run]\nlangauge = "en"', r"onelook\.toml: run\.langauge is no setting \(did you mean run\.language\?\)"),
        ('arm = "reads"', r"arm is no setting \(did you mean run\.arm\?\)"),
        ("zzz = 1", r"onelook\.toml: zzz is no setting$"),
        ("max_attempts = x\n", r"onelook\.toml is not TOML: .*line 1"),
        ("max_attempts = 99", r"max_attempts: .*got 99"),
        ('run = "reads"', "run: .*got 'reads'"),
    ],
)
def test_a_mistake_in_the_file_names_file_and_key(text: str, told: str, here: Path) -> None:
    (here / "onelook.toml").write_text(text)
    with pytest.raises(SettingsError, match=told) as caught:
        load_settings()
    assert "onelook.toml" in caught.value.message + (caught.value.hint or "")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("TAXONMY", "TAXONOMY"),
        ("TIMEOUT", "TIMEOUT_S"),
        ("RUN_ARM", "RUN__ARM"),
        ("ARM", "RUN__ARM"),
        ("RUN__LANGAUGE", "RUN__LANGUAGE"),
        ("SPECIALIST__MODLE", "SPECIALIST__MODEL"),
    ],
)
def test_a_mistyped_variable_is_reported_with_the_nearest_name(
    given: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ONELOOK_{given}", "x")
    with pytest.raises(SettingsError, match=f"ONELOOK_{given} is no setting; did you mean ONELOOK_{meant}\\?"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("BROWSER", "chromium"),
        ("SERVICE_HOST", "10.0.0.1"),
        ("PORT", "tcp://10.0.0.1:8080"),
        ("PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("TAXONMY", ""),
    ],
)
def test_other_peoples_variables_are_no_mistakes(given: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes sets some of these beside a service that is called onelook."""
    monkeypatch.setenv(f"ONELOOK_{given}", value)
    assert load_settings().max_attempts == 3


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
    assert (rows["engine"].value, rows["engine"].source) == ("vllm", "option")
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
        (
            "RESOLUTION__CARTOON_MOST",
            "512",
            r"CARTOON_MOST is no setting; did you mean ONELOOK_RESOLUTION__PHOTO_MOST",
        ),
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
