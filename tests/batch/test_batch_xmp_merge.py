"""A sidecar with our keywords beside those of others: nothing of theirs is lost, and ours can be taken out again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from onelook.batch.xmp.keywords import KeywordChoices
from onelook.batch.xmp.labels import clean
from onelook.batch.xmp.merge import Wish, holds_nothing, merge
from onelook.batch.xmp.names import HIERARCHICAL, LAST_KEYWORD, LISTS, PATH_LISTS, SUBJECT, TAGS_LIST
from onelook.errors import MetadataError, SettingsError
from tests.batch.ledgers import TAXONOMY, answer
from tests.batch.sidecars import CAT, DARKTABLE, DOG, FOREIGN, LIGHTROOM, RDF, labelled, lists_of, merged, tags_of

CAT_TAGS, DOG_TAGS = tags_of(CAT), tags_of(DOG)


def changed(data: bytes | None, *wish: Any) -> bytes:
    result = merged(data, *wish)
    assert result is not None
    return result


def test_every_list_has_our_keywords_in_its_own_form() -> None:
    lists = lists_of(changed(None, tags_of(CAT, languages=("zh", "en"))))
    assert lists == {
        SUBJECT: ["动物", "猫", "animal", "cat"],
        HIERARCHICAL: ["onelook|动物", "onelook|动物|物种|猫", "onelook|animal", "onelook|animal|species|cat"],
        TAGS_LIST: ["onelook/动物", "onelook/动物/物种/猫", "onelook/animal", "onelook/animal/species/cat"],
        LAST_KEYWORD: ["onelook/动物", "onelook/动物/物种/猫", "onelook/animal", "onelook/animal/species/cat"],
    }


def test_only_sure_tags_are_written() -> None:
    unsure = answer("portrait", 0.9, mood={"sad": 0.84}, scene={"indoor": 0.85})
    assert lists_of(changed(None, tags_of(unsure)))[SUBJECT] == ["人像", "室内"]
    assert tags_of(answer("animal", 0.84, species={"cat": 0.99})) is None
    unknown = answer("animal", None, species={"cat": 0.99})
    assert tags_of(unknown) is None
    assert lists_of(changed(None, tags_of(unknown, min_confidence=0)))[SUBJECT] == ["动物", "猫"]


def test_what_the_taxonomy_or_the_caller_leaves_out_is_no_keyword() -> None:
    several = answer("animal", species={"other_species": 0.98}, count={"several": 0.97})
    assert tags_of(several) == tags_of(answer("animal")), "the bundled taxonomy leaves out what finds no picture"
    assert tags_of(answer("other")) is None
    assert tags_of(answer("portrait", gender={"unclear": 0.99})) == tags_of(answer("portrait"))
    sure = answer("animal", species={"cat": 0.98})
    for name in ("cat", "species", "species.cat", "animal.species.cat"):
        assert tags_of(sure, leave_out=(name,)) == tags_of(answer("animal"))
    assert tags_of(sure, leave_out=("animal",)) is None
    with pytest.raises(SettingsError, match="no category, attribute or option 'cats'"):
        KeywordChoices(leave_out=("cats",)).check(TAXONOMY)


def test_the_root_is_a_choice_and_a_plain_word() -> None:
    assert lists_of(changed(None, tags_of(CAT, root="")))[TAGS_LIST] == ["动物", "动物/物种/猫"]
    for root in ("a/b", "a|b", " a", "a\n"):
        with pytest.raises(SettingsError, match=r"the root .* has a separator"):
            KeywordChoices(root=root).check(TAXONOMY)
    with pytest.raises(SettingsError, match="no labels in de: it has zh, en"):
        KeywordChoices(languages=("de",)).check(TAXONOMY)


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_foreign_sidecar_gets_ours_and_loses_them_byte_for_byte(name: str, encoding: str) -> None:
    text = FOREIGN[name]
    if encoding.startswith("utf-8"):
        before = text.encode(encoding)
    else:
        before = ("\ufeff" + text.replace("UTF-8", encoding[:6].upper())).encode(encoding)
    after = changed(before, CAT_TAGS)
    here, then = lists_of(before), lists_of(after)
    assert all(set(here[each]) <= set(then[each]) for each in LISTS)
    assert {"动物", "猫"} <= set(then[SUBJECT])
    assert merged(after, CAT_TAGS) is None, "a second run changes nothing"
    assert changed(after, None) == before


def test_what_is_not_ours_stays_where_it_is() -> None:
    before = DARKTABLE.encode()
    after = changed(before, CAT_TAGS)
    position = 0
    for line in before.splitlines(keepends=True):
        position = after.index(line, position) + len(line)


def test_every_list_has_their_keywords_from_every_other_list() -> None:
    lists = lists_of(changed(DARKTABLE.encode(), CAT_TAGS, {SUBJECT: ["holiday"], TAGS_LIST: ["Places/Rome"]}))
    assert set(lists[SUBJECT]) == {"2024", "trip", "holiday", "Rome", "动物", "猫"}
    paths = {"trip/2024", "holiday", "Places/Rome", "onelook/动物", "onelook/动物/物种/猫"}
    assert set(lists[TAGS_LIST]) == set(lists[LAST_KEYWORD]) == paths
    assert set(lists[HIERARCHICAL]) == {each.replace("/", "|") for each in paths}


def test_a_renamed_label_replaces_ours_and_leaves_theirs() -> None:
    with_cat = changed(LIGHTROOM.encode(), CAT_TAGS)
    with_dog = lists_of(changed(with_cat, DOG_TAGS))
    assert with_dog[SUBJECT] == ["R&D <lab>", "Rome", "动物", "狗"]
    assert set(with_dog[TAGS_LIST]) == {"R&D <lab>", "Rome", "onelook/动物", "onelook/动物/物种/狗"}


def test_a_keyword_that_was_there_before_us_is_theirs() -> None:
    before = LIGHTROOM.replace("Rome", "猫").encode()
    after = changed(changed(before, CAT_TAGS), None)
    assert after == before


def test_a_keyword_that_somebody_adds_beside_ours_is_theirs() -> None:
    ours = changed(LIGHTROOM.encode(), CAT_TAGS).decode()
    twice = ours.replace("<rdf:li>猫</rdf:li>", "<rdf:li>猫</rdf:li><rdf:li>猫</rdf:li>", 1)
    assert lists_of(changed(twice.encode(), None))[SUBJECT] == ["R&D <lab>", "Rome", "猫"]


def test_what_is_removed_from_a_new_sidecar_leaves_nothing() -> None:
    left = changed(changed(None, CAT_TAGS), None)
    assert holds_nothing(left)
    assert not holds_nothing(DARKTABLE.encode())
    assert merged(None, None) is None


@pytest.mark.parametrize(
    ("inside", "kept"),
    [
        ('<rdf:Description rdf:about="" dc:subject="mine" dc:format="image/jpeg"/>', ["mine"]),
        ('<rdf:Description rdf:about="" dc:subject=\'a>b "c"\'></rdf:Description>', ['a>b "c"']),
        ("<rdf:Description rdf:about=''><dc:subject>mine</dc:subject></rdf:Description>", ["mine"]),
        ("<rdf:Description><dc:subject><rdf:Bag/></dc:subject></rdf:Description>", []),
        ("<rdf:Description><dc:subject/></rdf:Description>", []),
        ("<rdf:Description><dc:subject><rdf:Bag>\n</rdf:Bag></dc:subject></rdf:Description>", []),
        (
            '<rdf:Description><dc:subject><rdf:Alt><rdf:li xml:lang="x-default">mine</rdf:li></rdf:Alt></dc:subject>'
            "</rdf:Description>",
            ["mine"],
        ),
        (
            "<rdf:Description><dc:subject><rdf:Bag><rdf:li><![CDATA[a<b]]></rdf:li></rdf:Bag></dc:subject>"
            '</rdf:Description><rdf:Description dc:subject="second"/>',
            ["a<b", "second"],
        ),
        (
            "<rdf:Description><dc:subject><q:Bag xmlns:q='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
            "<q:li>mine</q:li></q:Bag></dc:subject></rdf:Description>",
            ["mine"],
        ),
        ("", []),
    ],
)
def test_lists_in_other_forms_keep_their_keywords(inside: str, kept: list[str]) -> None:
    before = f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:dc="http://purl.org/dc/elements/1.1/">{inside}</rdf:RDF>'.encode()
    after = changed(before, CAT_TAGS)
    assert sorted(lists_of(after)[SUBJECT]) == sorted([*kept, "动物", "猫"])
    assert merged(after, CAT_TAGS) is None
    assert sorted(lists_of(changed(after, None))[SUBJECT]) == sorted(kept)


def test_the_last_keyword_is_found_in_its_other_namespace() -> None:
    text = (
        f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description xmlns:m="http://ns.microsoft.com/photo/1.0">'
        "<m:LastKeywordXMP><rdf:Bag><rdf:li>a/b</rdf:li></rdf:Bag></m:LastKeywordXMP></rdf:Description></rdf:RDF>"
    )
    after = changed(text.encode(), CAT_TAGS)
    assert lists_of(after)[LAST_KEYWORD] == ["a/b", "onelook/动物", "onelook/动物/物种/猫"]
    assert after.count(b":LastKeywordXMP>") == 2, "it is one list"


def test_an_encoding_that_lacks_our_letters_gets_references() -> None:
    before = DARKTABLE.replace("UTF-8", "ISO-8859-1").replace("trip", "Fête").encode("iso-8859-1")
    after = changed(before, CAT_TAGS)
    assert set(lists_of(after)[SUBJECT]) == {"2024", "Fête", "动物", "猫"}
    assert changed(after, None) == before


BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description>&lol2;</rdf:Description></rdf:RDF>"""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"\0 \n", "it is empty"),
        (DARKTABLE.encode()[:-20], "broken XML: .* \\(line 2"),
        (DARKTABLE.replace("trip<", "&trip;<").encode(), "broken XML: undefined entity"),
        (BILLION_LAUGHS, "document type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "document type"),
        (b"<a>" * 5000, "nested more than 200 deep"),
        (b"<svg/>", "no element rdf:RDF"),
        (DARKTABLE.replace("trip", "\udcff").encode(errors="surrogateescape"), "not in its encoding UTF-8"),
        (b"\xff\xfe<\0a\0/\0>", "not in its encoding utf-16-le"),
        (DARKTABLE.replace("UTF-8", "x-unknown").encode(), "encoding x-unknown is unknown"),
        (DARKTABLE.replace("<rdf:Bag>", "<rdf:Bag/><rdf:Bag>").encode(), "dc:subject is no list of texts"),
        (DARKTABLE.replace("dc:subject>", "dc:s>").replace('5"', "5\" dc:x='1' dc:x='2'").encode(), "duplicate attr"),
        (b" " * (2**26 + 1), "64 MiB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(MetadataError, match=reason):
        merged(data, CAT_TAGS)


def test_pictures_that_share_a_sidecar_keep_each_other_s_keywords() -> None:
    def shared(data: bytes | None, name: str, result: Any, there: set[str]) -> bytes | None:
        return merge(data, Wish(name, tags_of(result, name), {}, there.__contains__))

    raw = shared(None, "photo.cr2", DOG, {"photo.cr2", "photo.jpg"})
    both = shared(raw, "photo.jpg", CAT, {"photo.cr2", "photo.jpg"})
    assert both is not None
    assert lists_of(both)[SUBJECT] == ["动物", "狗", "猫"]
    assert shared(both, "photo.cr2", DOG, {"photo.cr2", "photo.jpg"}) is None
    one = shared(both, "photo.jpg", CAT, {"photo.jpg"})
    assert one is not None
    assert lists_of(one)[SUBJECT] == ["动物", "猫"], "the other picture is gone"


# Any text that XML can hold, with white space and separators among the letters.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("|/,;<>&'\" \t\n人"), min_size=1)
keywords = texts.map(str.strip).filter(lambda text: bool(text) and "\ufffe" not in text and "\uffff" not in text)
entries = st.dictionaries(st.sampled_from(LISTS), st.lists(keywords, min_size=1, max_size=3, unique=True))
results = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3).map(lambda labels: labelled(*labels))


@st.composite
def sidecars(draw: st.DrawFn) -> bytes:
    """With their keywords in lists, in one rdf:Description or several, however it is laid out."""
    rdf, end = draw(st.sampled_from(["rdf", "r", "dc"])), draw(st.sampled_from(["\n", "\r\n", ""]))
    root = etree.Element(f"{{{RDF}}}RDF", nsmap={rdf: RDF})
    root.text = end
    for each, values in draw(entries).items():
        owner = etree.SubElement(root, f"{{{RDF}}}Description", {f"{{{RDF}}}about": "", "{http://x/}y": draw(keywords)})
        owner.tail = end
        holder = etree.SubElement(owner, f"{{{each.name.namespace}}}{each.name.name}")
        container = etree.SubElement(holder, f"{{{RDF}}}{draw(st.sampled_from(['Bag', 'Seq']))}")
        for value in values:
            item = etree.SubElement(container, f"{{{RDF}}}li")
            item.text, item.tail = value, end
    if draw(st.booleans()):
        root.append(etree.Comment(draw(st.sampled_from(["a", "<rdf:li>no</rdf:li>", "?>"]))))
    encoding = draw(st.sampled_from(["utf-8", "us-ascii", "utf-16"]))
    data: Any = etree.tostring(root, encoding=encoding, xml_declaration=True)
    return bytes(data)


@given(before=sidecars(), result=results, elsewhere=entries)
def test_whatever_is_there_survives_and_ours_can_be_taken_out(before: bytes, result: Any, elsewhere: Any) -> None:
    tags = tags_of(result)
    after = changed(before, tags, elsewhere)
    here, then = lists_of(before), lists_of(after)
    for each in LISTS:
        assert set(here[each]) <= set(then[each])
    flat = {clean(entry) for entry in then[SUBJECT]}
    assert {clean(entry) for entry in [*here[SUBJECT], *elsewhere.get(SUBJECT, ())]} <= flat
    assert merged(after, tags, elsewhere) is None
    assert changed(after, None) == before


@given(first=results, second=results, before=sidecars())
def test_the_second_answer_takes_the_place_of_the_first(first: Any, second: Any, before: bytes) -> None:
    twice = merged(changed(before, tags_of(first)), tags_of(second))
    at_once = changed(before, tags_of(second))
    if twice is None:
        assert tags_of(first) == tags_of(second)
        return
    assert {each: sorted(values) for each, values in lists_of(twice).items()} == {
        each: sorted(values) for each, values in lists_of(at_once).items()
    }


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_any_label_is_one_entry_of_every_list(labels: list[str]) -> None:
    result = labelled(*labels)
    lists = lists_of(changed(None, tags_of(result)))
    wanted = [clean(label) or id_ for label, id_ in zip(labels, ["new", "o0", "o1", "o2"], strict=False)]
    assert lists[SUBJECT] == list(dict.fromkeys(wanted))
    for each in PATH_LISTS:
        paths = [entry.split(each.separator) for entry in lists[each]]
        assert [path[-1] for path in paths][:1] == wanted[:1]
        assert {len(path) for path in paths} <= {2, 4}


@given(st.binary(max_size=200) | st.text().map(str.encode) | sidecars().map(lambda data: data[: len(data) // 2]))
def test_bytes_of_any_kind_are_changed_or_refused(data: bytes) -> None:
    with suppress(MetadataError):
        after = changed(data, CAT_TAGS)
        assert merged(after, CAT_TAGS) is None
