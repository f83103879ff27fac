"""A packet with our keywords beside theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from onelook.batch.xmp.edit import Content, Edit
from onelook.batch.xmp.keywords import Keyword, PictureTags
from onelook.batch.xmp.names import KEYWORDS, LISTS, RESULTS, SIDECAR_FOR, TAGS_LIST, KeywordList, Kind, Property
from onelook.batch.xmp.packet import Packet, parse
from onelook.batch.xmp.provenance import Provenance, read_provenance, structures
from onelook.batch.xmp.theirs import Entries, entries, missing, theirs
from onelook.errors import MetadataError

TOOLKIT: Final = Property("adobe:ns:meta/", "xmptk")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a packet should hold.

    Of `picture` these `tags` (None: nothing), of other pictures what `keeps` says, and their keywords that stand
    elsewhere. `sidecar_for`: the raw file's extension, for a file that is new.
    """

    picture: str
    tags: PictureTags | None
    elsewhere: Entries
    keeps: Callable[[str], bool] = lambda _: False
    sidecar_for: str | None = None


def merge(data: bytes | None, wish: Wish) -> bytes | None:
    """The changed file; None where nothing changes. `data`: the file as it is, None: there is none.

    Raises:
        MetadataError: the file cannot be read, or a list has a form that is none.
    """
    if data is None and wish.tags is None:
        return None
    packet = parse(new_packet() if data is None else data)
    before = read_provenance(packet)
    pictures = {name: tags for name, tags in before.pictures.items() if name != wish.picture and wish.keeps(name)}
    if wish.tags is not None:
        pictures[wish.picture] = wish.tags
    ours = list(dict.fromkeys(keyword for tags in pictures.values() for keyword in tags.keywords))
    after = Provenance(pictures, _added(packet, wish.elsewhere, ours))
    edit, changed = Edit(packet), False
    if not after and data is not None and _made_by_us(packet):
        changed = edit.remove_property(SIDECAR_FOR)
    for each in LISTS:
        here, want = entries(packet, each), after.added.get(each, ())
        there, wanted = set(here), set(want)
        add = [entry for entry in want if entry not in there]
        remove = [entry for entry in before.added.get(each, ()) if entry in there and entry not in wanted]
        edit.change_list(each, add, remove)
        changed |= bool(add or remove)
    if not before.same(after):
        _replace_provenance(edit, after, wish.sidecar_for if data is None else None)
        changed = True
    if not changed:
        return None
    result = edit.result()
    _check(result, after, {each: [*here, *after.added.get(each, ())] for each, here in theirs(packet).items()})
    return result


def difference(before: bytes | None, after: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """For people: the keywords that come, and those that go, as `TagsList` has them."""
    old = [] if before is None else entries(parse(before), TAGS_LIST)
    new = entries(parse(after), TAGS_LIST)
    before_, after_ = set(old), set(new)
    return tuple(each for each in new if each not in before_), tuple(each for each in old if each not in after_)


def new_packet() -> bytes:
    """A packet that holds nothing yet, with the wrapper by which programs find one in a file."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="onelook {version("onelook")}">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="w"?>\n'
    ).encode()


def holds_nothing(data: bytes) -> bool:
    """Whether this is a packet that we made, and that nobody has put anything into."""
    packet = parse(data)
    return _made_by_us(packet) and not packet.rdf.children


def _made_by_us(packet: Packet) -> bool:
    outer = packet.rdf.parent
    return outer is not None and TOOLKIT in outer.attributes and outer.attributes[TOOLKIT].value.startswith("onelook ")


def _added(packet: Packet, others: Entries, ours: list[Keyword]) -> Mapping[KeywordList, tuple[str, ...]]:
    return missing(theirs(packet), others, ours) if ours else {}


def _check(data: bytes, record: Provenance, lists: Entries) -> None:
    """That the changed file says what it should, whatever form the old one had: nobody looks at each of 10^6 files."""
    packet = parse(data)
    right = all(sorted(entries(packet, each)) == sorted(lists[each]) for each in LISTS)
    if not right or not read_provenance(packet).same(record):
        raise MetadataError("it has a form that cannot be changed safely", hint="please report it, with the file")


def _replace_provenance(edit: Edit, record: Provenance, sidecar_for: str | None) -> None:
    for name in (RESULTS, KEYWORDS, *(each.added for each in LISTS)):
        edit.remove_property(name)
    if not record:
        return
    content: dict[Property, Content] = {} if sidecar_for is None else {SIDECAR_FOR: sidecar_for}
    content.update(structures(record))
    content.update({each.added: record.added[each] for each in LISTS if record.added.get(each)})
    kinds: dict[Property, Kind] = {RESULTS: "Seq", KEYWORDS: "Seq"}
    edit.add_description(content, kinds)
