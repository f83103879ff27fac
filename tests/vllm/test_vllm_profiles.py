"""Every profile of `serve/`, and every command of its README, read by vLLM's own parser: none can rot unseen."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tools.vllm_cpu.server import ENVIRONMENT, PROFILE, ROOT, SERVED_NAME, vllm_python

pytestmark = pytest.mark.vllm

PROFILES = sorted((ROOT / "serve").glob("*.yaml"))
VISION = [path for path in PROFILES if not path.name.startswith("siglip")]
PARSER = Path(__file__).parent / "vllm_parser.py"

RELIED_ON = {
    "limit_mm_per_prompt": {"image": 5, "video": 0},
    "enable_prefix_caching": True,
    "enable_chunked_prefill": True,
    "enable_prompt_tokens_details": True,
    "enable_per_request_metrics": True,
    "generation_config": "vllm",
    "host": "127.0.0.1",
}

GOOD = "model: Qwen/Qwen2.5-VL-3B-Instruct\n"
BROKEN = {
    "an option that does not exist": ("enable-prefix-cacheing: true", "unrecognized arguments: --enable-prefix-cach"),
    "the beginning of an option": ("max-model: 4096", "max-model is no option"),
    "a no that the parser passes over": ("enable-prefix-caching: false", "enable-prefix-caching: False became None"),
    "a value of the wrong kind": ("max-model-len: many", "--max-model-len"),
    "a value that is not offered": ("dtype: bfloat61", "invalid choice: 'bfloat61'"),
    "a value out of range": ("gpu-memory-utilization: 1.5", "less than or equal to 1"),
    "an unknown quantization": ("quantization: awk", "unknown quantization 'awk'"),
    "a part that does not exist": ("limit-mm-per-prompt: {image: {count: 5, widht: 448}}", "widht"),
    "a speculation without its length": ("speculative-config: {method: ngram}", "num_speculative_tokens"),
    "a template that is not there": ("chat-template: no/such.jinja", "no/such.jinja"),
    "metrics without statistics": ("enable-per-request-metrics: true\ndisable-log-stats: true", "disable-log-stats"),
}


@dataclass(frozen=True, repr=False)
class Parsed:
    """What vLLM made of each command, and the options that it has."""

    options: dict[str, str]
    commands: dict[tuple[str, ...], dict[str, Any]]

    def values(self, *words: str) -> dict[str, Any]:
        answer = self.commands[words]
        assert "error" not in answer, answer["error"]
        values: dict[str, Any] = answer["values"]
        return values

    def mistakes(self, profile: Path) -> list[str]:
        """What vLLM refuses, or else the lines that it takes for another option, or passes over."""
        answer = self.commands[serve(profile)]
        if "error" in answer:
            return [answer["error"]]
        found = []
        for key, value in load(profile).items():
            if f"--{key}" not in self.options:  # argparse takes the beginning of an option for the option
                found.append(f"{key} is no option")
                continue
            taken = answer["values"][self.options[f"--{key}"]]
            if isinstance(value, dict) and isinstance(taken, dict):  # a part of the configuration has all its fields
                taken = {name: each for name, each in taken.items() if name in value}
            if taken != ([value] if isinstance(taken, list) else value):
                found.append(f"{key}: {value!r} became {taken!r}")
        return found


def serve(profile: Path) -> tuple[str, ...]:
    """The words after `vllm`; the demo's profile names no model, so a folder is given."""
    model = () if "model" in load(profile) else (str(ROOT),)
    return ("serve", *model, "--config", str(profile))


def load(profile: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load(profile)
    return content


def readme_commands() -> list[tuple[str, ...]]:
    """Each `vllm serve …` line of the README, without the environment before it and the comment behind it."""
    lines = (ROOT / "serve" / "README.md").read_text(encoding="utf-8").splitlines()
    return [tuple(shlex.split(line[line.index("vllm serve") :], comments=True)[1:]) for line in lines if is_code(line)]


def is_code(line: str) -> bool:
    return line.startswith("    ") and "vllm serve" in line


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each kind of mistake a profile that is good but for it."""
    folder = tmp_path_factory.mktemp("broken")
    paths = {}
    for number, (mistake, (line, _)) in enumerate(BROKEN.items()):
        paths[mistake] = folder / f"{number}.yaml"
        paths[mistake].write_text(f"{GOOD}{line}\n")
    return paths


@pytest.fixture(scope="module")
def parsed(broken: dict[str, Path]) -> Parsed:
    """All commands in one process: importing vLLM takes longer than everything else here."""
    commands = [*map(serve, PROFILES), *map(serve, broken.values()), *readme_commands()]
    return Parsed(**ask_vllm(commands))


def ask_vllm(commands: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    environment = {**os.environ, **ENVIRONMENT, "HF_HUB_OFFLINE": "0"}  # offline, vLLM wants the weights to be there
    done = subprocess.run(
        [vllm_python(), "-P", PARSER],
        input=json.dumps(commands),
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    return {"options": answer["options"], "commands": dict(zip(commands, answer["commands"], strict=True))}


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_every_line_of_a_profile_is_an_option_of_vllm_and_takes_effect(parsed: Parsed, profile: Path) -> None:
    assert parsed.mistakes(profile) == []


@pytest.mark.parametrize("profile", VISION, ids=lambda path: path.stem)
def test_a_vision_profile_has_what_onelook_relies_on(parsed: Parsed, profile: Path) -> None:
    values = parsed.values(*serve(profile))
    assert {name: values[name] for name in RELIED_ON} == RELIED_ON
    assert values["dtype"] == ("float32" if profile == PROFILE else "bfloat16")  # on a CPU as the embedded engine


def test_siglip_answers_with_vectors(parsed: Parsed) -> None:
    values = parsed.values(*serve(ROOT / "serve" / "siglip-so400m.yaml"))
    assert (values["runner"], values["limit_mm_per_prompt"]) == ("pooling", {"image": 1})


def test_the_demo_is_served_under_its_name(parsed: Parsed) -> None:
    assert parsed.values(*serve(PROFILE))["served_model_name"] == [SERVED_NAME]


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_in_a_profile_is_found(parsed: Parsed, broken: dict[str, Path], mistake: str) -> None:
    found = parsed.mistakes(broken[mistake])
    assert BROKEN[mistake][1] in "".join(found), found


@pytest.mark.parametrize("words", readme_commands(), ids=" ".join)
def test_a_command_of_the_readme_is_accepted(parsed: Parsed, words: tuple[str, ...]) -> None:
    parsed.values(*words)


def test_the_readme_lists_every_profile() -> None:
    table = (ROOT / "serve" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in PROFILES if f"| `{path.name}`" not in table] == []
