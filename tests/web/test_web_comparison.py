"""The page shows exactly the figures of the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from tests.web.parts import by_kind
from tests.web.visitor import Visitor

ARMS = ("fused", "legacy")
ROUNDED = 0.05 + 1e-9  # one digit after the point is shown


def shown_number(place: Locator) -> float:
    """The number in a text such as "1,234.5 ms"."""
    found = re.search(r"[\d,]+(\.\d+)?", place.inner_text())
    assert found, place.inner_text()
    return float(found[0].replace(",", ""))


def chosen(result: dict[str, Any]) -> dict[str, list[str]]:
    """The ids of the details."""
    return {name: [tag["id"] for tag in tags] for name, tags in result["details"].items()}


def box(place: Locator) -> FloatRect:
    """Its position on the page."""
    found = place.bounding_box()
    assert found, "it is not drawn"
    return found


@pytest.fixture
def compared(visitor: Visitor) -> dict[str, Any]:
    """The API's results for an album picture, by arm, while the page shows them."""
    visitor.choose_sample(1)
    visitor.choose_arms(*ARMS)
    arms = visitor.look()
    assert [arm["arm"] for arm in arms] == list(ARMS)
    return {arm["arm"]: arm for arm in arms}


def test_the_tags_of_all_arms_are_shown_with_their_confidence(compared: dict[str, Any], visitor: Visitor) -> None:
    taxonomy = load_taxonomy(PHOTOS)
    for arm, said in compared.items():
        result = said["result"]
        category = taxonomy.categories[result["category"]["id"]]
        expected = [(category.label["en"], result["category"]["confidence"])]
        for attribute, tags in result["details"].items():
            options = category.details[attribute].options
            expected += [(options[tag["id"]]["en"], tag["confidence"]) for tag in tags]
        lines = visitor.card(arm).locator(".tag").all()
        assert len(lines) == len(expected)
        for line, (label, confidence) in zip(lines, expected, strict=True):
            expect(line.locator(".label")).to_contain_text(label)
            assert shown_number(line.locator(".number")) == pytest.approx(confidence * 100, abs=0.5)
            filled, whole = box(line.locator(".filled")), box(line.locator(".meter"))
            assert filled["width"] / whole["width"] == pytest.approx(confidence, abs=0.01)
    first, second = (box(visitor.card(arm)) for arm in ARMS)
    assert first["y"] == second["y"]
    assert first["x"] < second["x"]


def test_times_and_tokens_equal_those_of_the_api(compared: dict[str, Any], visitor: Visitor) -> None:
    visitor.page.get_by_text("The numbers").click()
    table = visitor.page.get_by_role("table")
    head = table.locator("thead th").all_inner_texts()
    for arm, said in compared.items():
        result = said["result"]
        wall_ms = result["ledger"]["wall_ms"]
        assert shown_number(visitor.card(arm).locator(".wall")) == pytest.approx(wall_ms, abs=ROUNDED)
        lane = visitor.page.get_by_role("region", name=arm, exact=True)
        assert shown_number(lane.locator(".step.sum .number")) == pytest.approx(wall_ms, abs=ROUNDED)
        for node in result["ledger"]["nodes"]:
            assert f"{node['name']}" in lane.inner_text()
        for name, count in result["usage"].items():
            assert shown_number(lane.locator(f"[data-tokens={name}]")) == count
        column = head.index(arm) - 1
        expected = {**by_kind(said["parts"]), "wall": wall_ms}
        for kind, duration_ms in expected.items():
            cell = table.locator(f"[data-kind={kind}] td").nth(column)
            if duration_ms:
                assert shown_number(cell) == pytest.approx(duration_ms, abs=ROUNDED), (arm, kind)


def test_the_arms_bars_share_one_axis(compared: dict[str, Any], visitor: Visitor) -> None:
    longest_ms = max(said["result"]["ledger"]["wall_ms"] for said in compared.values())
    for arm, said in compared.items():
        lane = visitor.page.get_by_role("region", name=arm, exact=True)
        track = box(lane.locator(".step .track").last)
        decoding = [
            (span["end_ms"] - span["server"]["decode_ms"], span["server"]["decode_ms"])
            for node in said["result"]["ledger"]["nodes"]
            for span in node["spans"]
            if span["server"]
        ]
        bars = lane.get_by_role("img", name=re.compile("^decode"))
        assert bars.count() == len(decoding)
        for bar, (start_ms, duration_ms) in zip(bars.all(), decoding, strict=True):
            drawn = box(bar)
            assert (drawn["x"] - track["x"]) / track["width"] == pytest.approx(start_ms / longest_ms, abs=0.01)
            assert drawn["width"] / track["width"] == pytest.approx(duration_ms / longest_ms, abs=0.01)


def test_right_and_wrong_tags_are_marked_for_labelled_pictures(compared: dict[str, Any], visitor: Visitor) -> None:
    truth = {"gender": ["unclear"], "composition": ["selfie", "half_body"], "mood": ["sad"], "scene": ["indoor"]}
    for arm, said in compared.items():
        result = said["result"]
        assert result["category"]["id"] == "portrait"
        details = chosen(result)
        right = 1 + sum(tag in truth[name] for name, tags in details.items() for tag in tags)
        wrong = sum(tag not in truth[name] for name, tags in details.items() for tag in tags)
        missed = sum(tag not in details[name] for name, tags in truth.items() for tag in tags)
        card = visitor.card(arm)
        expect(card.locator(".mark.right")).to_have_count(right)
        expect(card.locator(".mark.wrong")).to_have_count(wrong)
        expect(card.locator(".missed")).to_have_count(missed)


def test_the_comparison_names_the_differences_and_no_faster_arm_after_one_run(
    compared: dict[str, Any], visitor: Visitor
) -> None:
    verdict = visitor.page.locator(".verdict")
    expect(verdict).not_to_contain_text("faster:")
    expect(verdict).to_contain_text("One run each does not tell which is faster")
    one, other = (chosen(said["result"]) for said in compared.values())
    differing = [name for name in one if one[name] != other[name]]
    for name in differing:
        expect(verdict).to_contain_text(name)
    assert verdict.get_by_text("The arms differ").count() == (1 if differing else 0)
    assert verdict.get_by_text("All arms give the same tags").count() == (0 if differing else 1)


def test_six_rounds_tell_which_arm_is_faster_or_that_none_clearly_is(
    compared: dict[str, Any], visitor: Visitor
) -> None:
    said = visitor.measure()
    assert all(len(arm["wall_ms"]) == 6 for arm in said["arms"])
    (ratio,) = said["time_ratios"]
    low, high = ratio["low"], ratio["high"]
    verdict = visitor.page.locator(".verdict")
    if low > 1:
        expect(verdict).to_contain_text(f"fused is faster: legacy takes {ratio['median']:.2f} ×")
        expect(verdict).to_contain_text(f"({low:.2f} to {high:.2f})")
    elif high < 1:
        expect(verdict).to_contain_text(f"legacy is faster: fused takes {1 / ratio['median']:.2f} ×")
    else:
        expect(verdict).to_contain_text(f"No clear difference in time: legacy takes {low:.2f} to {high:.2f} ×")
    expect(verdict).to_contain_text("6 rounds")
    for arm in said["arms"]:
        shown = shown_number(visitor.card(arm["arm"]).locator(".wall"))
        assert shown == pytest.approx(arm["result"]["ledger"]["wall_ms"], abs=ROUNDED)
    expect(visitor.page.get_by_role("button", name="Which is faster?")).to_have_count(0)


def test_cancelled_rounds_leave_the_answer_that_was_there(compared: dict[str, Any], visitor: Visitor) -> None:
    visitor.page.route("**/v1/compare", lambda route: None)  # it hangs
    visitor.page.get_by_role("button", name="Which is faster?").click()
    visitor.page.get_by_role("button", name="Cancel").click()
    for arm, said in compared.items():
        shown = shown_number(visitor.card(arm).locator(".wall"))
        assert shown == pytest.approx(said["result"]["ledger"]["wall_ms"], abs=ROUNDED)
    expect(visitor.page.get_by_role("button", name="Which is faster?")).to_be_visible()


def test_a_result_that_needs_review_shows_the_reason(visitor: Visitor) -> None:
    visitor.choose_sample(1)
    visitor.choose_arms(*ARMS)
    visitor.page.get_by_text("Options", exact=True).click()
    visitor.page.get_by_label("Review below this confidence").fill("1")  # no confidence reaches 1
    for said in visitor.look():
        arm = said["arm"]
        assert said["result"]["status"] == "needs_review"
        (picture,) = said["result"]["pictures"]
        expect(visitor.card(arm)).to_contain_text(f"Seen at {picture['width']} × {picture['height']} pixels.")
        tags = [said["result"]["category"], *(tag for tags in said["result"]["details"].values() for tag in tags)]
        least = min(tags, key=lambda tag: tag["confidence"])
        expect(visitor.card(arm)).to_contain_text("needs review")
        expect(visitor.card(arm).locator(".why")).to_contain_text(
            f"{least['confidence']:.0%}, below the threshold of 100%"
        )


def test_the_choices_reach_the_run(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_sample(2)
    visitor.choose_arms("fused")
    (usual,) = visitor.look()
    assert usual["result"]["language"] == "en"  # that of the page, unless one is chosen
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Language of the answer").select_option("zh")
    page.get_by_label("Reply format").select_option("compact")
    page.get_by_label("Long edge, pixels").fill("224")
    page.get_by_label("Review below this confidence").fill("1")
    (arm,) = visitor.look()
    assert arm["result"]["language"] == "zh"
    assert arm["result"]["category"]["label"] == "动物"
    assert arm["result"]["usage"]["image_tokens"] < usual["result"]["usage"]["image_tokens"]
    assert arm["result"]["usage"]["completion_tokens"] < usual["result"]["usage"]["completion_tokens"]
    expect(visitor.card("fused")).to_contain_text("below the threshold of 100%")
    expect(visitor.card("fused")).to_contain_text("animal")  # shown in the page's language all the same


@pytest.mark.parametrize("arm", ["reads", "legacy_shared"])
def test_the_other_arms_are_shown_too(arm: str, visitor: Visitor) -> None:
    visitor.choose_sample(3)
    visitor.choose_arms(arm)
    (said,) = visitor.look()
    expect(visitor.page.locator(".verdict")).to_contain_text(
        f"{arm} took {said['result']['ledger']['wall_ms']:,.1f} ms"
    )
    expect(visitor.card(arm)).to_contain_text("landscape")
