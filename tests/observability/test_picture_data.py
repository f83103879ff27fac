"""The removal of picture data from text for traces."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.observability.pictures import without_pictures
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS

WORDS = st.text(alphabet=st.characters(exclude_characters="+/-_=", exclude_categories=("L", "N", "Cs")))


@given(st.binary(min_size=90, max_size=3000), WORDS, WORDS, st.sampled_from(["", "data:image/png;base64,"]))
def test_base64_is_removed_anywhere_in_a_text(picture: bytes, before: str, after: str, prefix: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        data = prefix + encode(picture).decode()
        assert without_pictures(before + data + after) == f"{before}[{len(data)} characters of data]{after}"


def test_python_byte_literals_are_removed(noise: bytes) -> None:
    shown = without_pictures(f"cannot read {noise!r} as words")
    assert shown.startswith("cannot read ")
    assert len(shown) < 200


@pytest.mark.parametrize("language", ["zh", "en"])
def test_prompts_and_replies_are_not_changed(language: str) -> None:
    prompts = Prompts(load_taxonomy(PHOTOS), "zh" if language == "zh" else "en")
    for reply_format in ("json", "compact"):
        said = str(prompts.fused("json" if reply_format == "json" else "compact").messages([]))
        assert without_pictures(said) == said
    for words in ("/home/someone/pictures/2026/holiday/beach.jpg", "a" * 64, "https://example.org/a/b/c?d=e"):
        assert without_pictures(words) == words
