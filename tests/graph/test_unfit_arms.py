"""A single picture with an arm that cannot be run, and no `start` before it: the result has the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from onelook.errors import PromptError
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.engines.openai_simulation import SimulatedServer
from tests.graph.replies import MakeTagger, scripted


async def test_more_options_than_letters_are_no_matter_of_the_picture(
    make_tagger: MakeTagger, picture: bytes, tmp_path: Path
) -> None:
    breeds = {f"breed_{number}": {"en": f"breed {number:03}"} for number in range(401)}
    breed = {"label": {"en": "breed"}, "choose": "one", "options": breeds}
    dog = {"label": {"en": "dog"}, "when": {"en": "a dog"}, "details": {"breed": breed}}
    other = {"label": {"en": "other"}, "when": {"en": "no dog"}}
    taxonomy = tmp_path / "breeds.yaml"
    taxonomy.write_text(yaml.safe_dump({"name": "breeds", "categories": {"dog": dog, "other": other}}))
    async with make_tagger(["B"], taxonomy=taxonomy) as tagger:
        result = await tagger.tag(picture, Context(arm="reads"))
        assert scripted(tagger).asked == [], "not even which category it is"
        with pytest.raises(PromptError, match=r"dog\.breed has 401 options"):
            await tagger.start(Context(arm="reads"))
    (error,) = result.errors
    assert (result.status, error.kind, error.retryable) == ("failed", "PromptError", False)
    assert "dog.breed has 401 options" in error.message
    assert "--arm fused" in (error.hint or "")


@pytest.mark.parametrize("choice", [Context(arm="reads"), Context(reply_format="compact")], ids=["reads", "compact"])
async def test_a_server_that_keeps_json_schemas_only(picture: bytes, choice: Context) -> None:
    async with (
        SimulatedServer(owner="somebody") as server,
        Tagger(load_settings(engine="vllm", base_url=server.base_url, model="tiny")) as tagger,
    ):
        result = await tagger.tag(picture, choice)
    assert server.bodies == []
    (error,) = result.errors
    assert (result.status, error.kind, error.retryable) == ("failed", "EngineIncapable", False)
    assert "--arm fused --reply-format json" in (error.hint or "")
