"""Arms as people write them on a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from onelook.errors import ExperimentError, SettingsError
from onelook.lab.experiment.arm_text import read_arm, read_arms
from onelook.lab.experiment.arms import ExperimentArm, prepare
from onelook.settings.process import load_settings
from onelook.types import Context


def test_a_name_of_the_graph_is_that_arm_and_others_say_what_they_change() -> None:
    assert read_arm("reads") == ("reads", ExperimentArm(Context(arm="reads")))
    assert read_arm("hybrid:router.threshold=0.7") == (
        "hybrid",
        ExperimentArm(Context(arm="hybrid"), {"router.threshold": "0.7"}),
    )
    name, arm = read_arm("small:arm=reads,long-edge=448,format=compact,debias=true,base_url=http://host:8000/v1")
    assert name == "small"
    assert arm.context == Context(arm="reads", long_edge=448, reply_format="compact", debias=True)
    assert arm.settings == {"base_url": "http://host:8000/v1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fuzed", "did you mean fused"),
        ("small", "small is none of the arms fused, reads"),
        ("small:", "small is none of the arms"),
        (":arm=fused", "'' is no name"),
        ("a b:arm=fused", "'a b' is no name"),
        ("small:long_egde=448", "long_egde is no key; did you mean long_edge"),
        ("small:quantisation=4bit", "did you mean quantization"),
        ("small:arm", "'arm' is no key=value"),
        ("small:arm=", "'arm=' is no key=value"),
        ("small:arm=fuzed", "arm: Input should be 'fused', 'reads'"),
        ("small:long_edge=10", "long_edge: Input should be greater"),
        ("small:long_edge=448,long_edge=512", "long_edge is given twice"),
    ],
)
def test_a_mistake_is_reported_with_what_was_meant(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        read_arm(text)
    assert str(refused.value).startswith(f"--arm {text}: ")
    assert refused.value.hint


def test_two_arms_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="there is an arm fused already"):
        read_arms(["fused", "fused:long_edge=448"])


def test_arms_with_the_same_settings_share_a_model() -> None:
    arms: dict[str, Context | ExperimentArm] = {
        "a": Context(),
        "b": Context(arm="reads"),
        "c": ExperimentArm(settings={"engine": "vllm", "base_url": "http://host:1/v1"}),
        "d": ExperimentArm(Context(arm="reads"), {"engine": "vllm", "base_url": "http://host:1/v1"}),
        "e": ExperimentArm(settings={"router.threshold": "0.5"}),
    }
    a, b, c, d, e = prepare(arms, load_settings(cache="memory"))
    assert a.shares_with(b)
    assert c.shares_with(d)
    assert not a.shares_with(c)
    assert not a.shares_with(e)
    assert {each.settings.cache for each in (a, b, c, d, e)} == {"off"}
    assert e.settings.router.threshold == 0.5
    assert e.settings.router.model == a.settings.router.model  # the rest of the group is as it was
    assert e.changed == {"router.threshold": "0.5"}


def test_a_wrong_setting_of_an_arm_is_reported_with_the_arm(tmp_path: Path) -> None:
    arms: dict[str, Context | ExperimentArm] = {
        "a": Context(),
        "b": ExperimentArm(settings={"quantization": "3bit"}),
    }
    with pytest.raises(ExperimentError, match="arm b: bad settings:\n  quantization: Input should be 'none'"):
        prepare(arms, load_settings())
    arms["b"] = ExperimentArm(settings={"taxonomy": tmp_path / "none.yaml"})
    with pytest.raises(ExperimentError, match="arm b: "):
        prepare(arms, load_settings())


def test_keys_stay_out_of_the_design() -> None:
    secret = ExperimentArm(settings={"api_key": "hush", "base_url": "http://me:hush@host/v1", "engine": "vllm"})
    _, prepared = prepare({"a": Context(), "b": secret}, load_settings())
    assert "hush" not in str(prepared.changed)
    assert prepared.settings.api_key is not None
    assert prepared.settings.api_key.get_secret_value() == "hush"
