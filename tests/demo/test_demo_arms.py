"""The benchmark of the arms: its report of a real run, and the forced replies for a model shape without weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.arms import headlines, main
from benchmarks.dictation import ANSWER, dictation, load_tokens
from onelook.demo.checkpoint import MODEL
from onelook.lab.album import read_labels
from onelook.prompts.questions import CODECS, Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from onelook.types import Language
from tools.demo_model import HELDOUT

app = typer.Typer()
app.command()(main)


def test_the_report_has_the_figures_of_each_arm(tmp_path: Path) -> None:
    report = tmp_path / "arms.json"
    arms = ("fused", "fused_compact", "reads", "legacy")
    chosen = [word for arm in arms for word in ("--arm", arm)]
    result = CliRunner().invoke(app, ["--pictures", "2", "--json", str(report), *chosen])
    assert result.exit_code == 0, result.output
    flat = {name.removeprefix("demo-embedded.768."): value for name, value in json.loads(report.read_text()).items()}
    assert flat["fused.calls"] == flat["fused_compact.calls"] == 1
    assert flat["reads.calls"] > 2  # the category, and each attribute of it
    assert flat["reads.completion_tokens"] == flat["reads.calls"]  # one token each
    assert [flat[f"{arm}.encodings"] for arm in arms] == [1, 1, 1, flat["legacy.calls"]]
    assert flat["legacy_reusing.calls"] == flat["legacy.calls"] == 2
    assert flat["legacy_reusing.encodings"] == 1
    assert flat["fused_vs_legacy_reusing"] == pytest.approx(
        flat["fused.p50_ms"] / flat["legacy_reusing.p50_ms"], abs=1e-3
    )
    assert flat["fused_vs_legacy_cpu"] == pytest.approx(flat["fused.cpu_ms"] / flat["legacy.cpu_ms"], abs=1e-3)
    assert flat["fused_compact.completion_tokens"] < flat["fused.completion_tokens"]
    assert flat["reads_vs_floor"] == pytest.approx(flat["reads.p50_ms"] / flat["floor.p50_ms"], abs=1e-3)
    assert not any(flat[f"{arm}.failed"] for arm in arms)
    assert "reads_vs_floor" in result.output
    assert flat["fused.passes"] == flat["passes_per_json_reply"] < flat["fused_stepping.passes"]
    assert flat["fused_stepping.passes"] == flat["fused_stepping.completion_tokens"] == flat["fused.completion_tokens"]
    assert flat["same_with_jump_forward"] == 1
    assert flat["fused_vs_compact"] == pytest.approx(flat["fused.p50_ms"] / flat["fused_compact.p50_ms"], abs=1e-3)


def test_an_unknown_arm_is_refused() -> None:
    result = CliRunner().invoke(app, ["--arm", "fussed"])
    assert result.exit_code == 2
    assert "fussed" in result.output


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_question_has_a_reply_that_parses_to_the_answer(language: Language) -> None:
    prompts = Prompts(load_taxonomy(PHOTOS), language)
    replies = dictation(prompts, ANSWER)
    for reply_format in CODECS:
        question = prompts.fused(reply_format)
        read = question.read(replies[question.text])
        assert (read.category, read.details) == (ANSWER.category, ANSWER.details)
    choices = [each for id_ in ANSWER.details for each in prompts.attribute_choices(ANSWER.category, id_)]
    asked = [question for choice in choices for question in choice.questions]
    chosen = {question.text: question.read(replies[question.text]).details for question in asked}
    assert {id_: sum((each.get(id_, ()) for each in chosen.values()), ()) for id_ in ANSWER.details} == ANSWER.details


def test_lengths_are_counted_with_the_tokenizer_of_the_folder() -> None:
    prompts, tokens = Prompts(load_taxonomy(PHOTOS), "zh"), load_tokens(MODEL)
    album = read_labels(HELDOUT)[:9]
    found = headlines({}, tokens, prompts, album)
    written = [len(tokens(prompts.fused("json").write(each.truth))) for each in album]
    assert found["json_tokens"] == pytest.approx(sum(written) / len(written), abs=0.01)
    assert found["compact_vs_json_tokens"] < 1
