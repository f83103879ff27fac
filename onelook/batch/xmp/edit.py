"""Changes to a packet, as replacements of bytes: what is not named here stays as it is, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from onelook.batch.xmp.names import PREFIXES, RDF, KeywordList, Kind, Property
from onelook.batch.xmp.packet import Element, Packet, Splice
from onelook.batch.xmp.rdf import ALT, Found, find, take, text
from onelook.errors import MetadataError

ABOUT = (Property(RDF, "about"), Property("", "about"))
Structures = Sequence[Mapping[Property, str]]
Content = str | Sequence[str] | Structures


class Edit:
    """Collects changes; `result` applies them. A property is changed once."""

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._splices = list[Splice]()
        self._removed = list[Element]()
        self._new_lists = dict[KeywordList, Sequence[str]]()
        self._new = list[str]()

    def change_list(self, keywords: KeywordList, add: Sequence[str], remove: Iterable[str]) -> None:
        """Add entries at the end of a list, which is made where it is missing, and take each of `remove` out once.

        A list that is empty then goes too.

        Raises:
            MetadataError: the list is there in a form that is none.
        """
        gone = Counter(remove)
        places = find(self._packet, *keywords.properties)
        if not add and not gone.total():
            return
        for each in places:
            if not each.understood:
                raise MetadataError(
                    f"its {keywords.name.prefixed} is no list of texts, so it cannot be changed",
                    hint="remove the property, for example with ExifTool",
                )
        place = next((each for each in places if each.container is not None), places[0] if places else None)
        for each in places:
            self._change_place(each, keywords, add if each is place else (), gone)
        if place is None:
            self._new_lists[keywords] = add

    def remove_property(self, name: Property) -> bool:
        """Wherever it stands. Whether it was there."""
        places = find(self._packet, name)
        for each in places:
            if each.element is not None:
                self._removed.append(each.element)
            else:
                self._remove_attribute(each)
        return bool(places)

    def add_description(self, content: Mapping[Property, Content], kinds: Mapping[Property, Kind]) -> None:
        """A new rdf:Description with these properties: a text, a list of texts, or a list of structures."""
        self._new.append(self._description(content, kinds))

    def _description(self, content: Mapping[Property, Content], kinds: Mapping[Property, Kind]) -> str:
        structures = (item for value in content.values() for item in value if not isinstance(item, str))
        declared = {each.namespace for each in [*content, *(each for item in structures for each in item)]}
        lines = list[str]()
        spaces = [f'xmlns:{PREFIXES[each]}="{each}"' for each in sorted(declared)]
        own = self._packet.rdf.prefix == "rdf:"  # another prefix may be one that we declare here for something else
        about = escape(self._about(), {'"': "&quot;"})
        declarations = " ".join(spaces if own else [f'xmlns:rdf="{RDF}"', *spaces])
        lines.append(f'<rdf:Description rdf:about="{about}" {declarations}>')
        for name, value in content.items():
            lines += (f" {each}" for each in _property(name, value, kinds.get(name, "Bag")))
        lines.append("</rdf:Description>")
        lead, newline = self._lead(), self._newline()
        return lead + (newline.join(lines) if newline else "".join(each.strip() for each in lines))

    def result(self) -> bytes:
        """The changed file."""
        self._place_new()
        removed = {id(each) for each in self._removed}
        for owner in self._packet.descriptions:
            gone = [each for each in owner.children if id(each) in removed]
            bare = all(each in ABOUT for each in owner.attributes)
            for each in [owner] if gone and bare and len(gone) == len(owner.children) else gone:
                self._splices.append(Splice(self._packet.space_before(each.start), each.end, ""))
        return self._packet.spliced(self._splices)

    def _change_place(self, place: Found, keywords: KeywordList, add: Sequence[str], gone: Counter[str]) -> None:
        if place.element is None:
            entries = [value for value in place.values if not take(gone, value)]
            if not add and entries:
                return
            self._remove_attribute(place)
            if entries or add:
                self._new_lists[keywords] = [*entries, *add]
        elif place.container is None:
            entries = [value for value in place.values if not take(gone, value)]
            if not entries and not add:
                self._removed.append(place.element)
            elif add:
                self._make_list(place.element, keywords.kind, [*entries, *add])
        else:
            self._change_container(place.element, place.container, add, gone)

    def _change_container(self, element: Element, container: Element, add: Sequence[str], gone: Counter[str]) -> None:
        taken = [each for each in reversed(container.children) if take(gone, text(each).strip())]
        if taken and not add and len(taken) == len(container.children):
            self._removed.append(element)
            return
        for each in taken:
            self._splices.append(Splice(self._packet.space_before(each.start), each.end, ""))
        if not add:
            return
        prefix, name = container.prefix, container.raw_name
        if container.name == ALT:  # a choice of one: the others would not be seen
            name = f"{prefix}Bag"
            at = container.start + 1
            self._splices.append(Splice(at, at + len(container.raw_name.encode()), name))
        items, lead = [f"<{prefix}li>{escape(each)}</{prefix}li>" for each in add], ""
        if container.children:
            last = container.children[-1]
            lead = self._packet.data[self._packet.space_before(last.start) : last.start].decode()
            self._splices.append(Splice(last.end, last.end, "".join(lead + each for each in items)))
            if container.name == ALT:
                self._splices.append(Splice(container.close, container.end, f"</{name}>"))
        else:
            self._fill(container, "".join(items), name)

    def _make_list(self, element: Element, kind: Kind, entries: Sequence[str]) -> None:
        """A text that should have been a list."""
        items = "".join(f"<rdf:li>{escape(each)}</rdf:li>" for each in entries)
        self._fill(element, f'<rdf:{kind} xmlns:rdf="{RDF}">{items}</rdf:{kind}>', element.raw_name)

    def _fill(self, element: Element, content: str, name: str) -> None:
        if element.empty:
            self._splices.append(Splice(element.inside - 2, element.inside, f">{content}</{name}>"))
        else:
            self._splices.append(Splice(element.inside, element.end, f"{content}</{name}>"))

    def _remove_attribute(self, place: Found) -> None:
        attribute = place.owner.attributes[place.name]
        self._splices.append(Splice(attribute.start, attribute.end, ""))

    def _place_new(self) -> None:
        lists = {each.name: entries for each, entries in self._new_lists.items()}
        if lists:
            self._new.insert(0, self._description(lists, {each.name: each.kind for each in self._new_lists}))
        rdf, content = self._packet.rdf, "".join(self._new)
        if not content:
            return
        if rdf.children:
            at = rdf.children[-1].end
        elif rdf.empty:
            self._fill(rdf, content + self._newline(), rdf.raw_name)
            return
        else:
            at = rdf.inside
        self._splices.append(Splice(at, at, content))

    def _lead(self) -> str:
        """The white space in front of a new rdf:Description: as in front of the first one."""
        rdf = self._packet.rdf
        if rdf.children:
            first = rdf.children[0].start
            return self._packet.data[self._packet.space_before(first) : first].decode()
        closing = self._packet.data[self._packet.space_before(rdf.close) : rdf.close].decode()
        return f"{closing} " if not rdf.empty and "\n" in closing else "\n "

    def _newline(self) -> str:
        """Line end and indent inside of new ones; nothing where the file is one line."""
        lead = self._lead()
        before, newline, indent = lead.rpartition("\n")
        return ("\r" if before.endswith("\r") else "") + newline + indent if newline else ""

    def _about(self) -> str:
        for owner in self._packet.descriptions:
            for each in ABOUT:
                if each in owner.attributes:
                    return owner.attributes[each].value
        return ""


def _property(name: Property, value: Content, kind: Kind) -> list[str]:
    """A property as lines, each indented by its depth."""
    if isinstance(value, str):
        return [f"<{name.prefixed}>{escape(value)}</{name.prefixed}>"]
    lines = [f"<{name.prefixed}>", f" <rdf:{kind}>"]
    for item in value:
        if isinstance(item, str):
            lines.append(f"  <rdf:li>{escape(item)}</rdf:li>")
            continue
        lines.append('  <rdf:li rdf:parseType="Resource">')
        lines += (f"   <{each.prefixed}>{escape(text_)}</{each.prefixed}>" for each, text_ in item.items())
        lines.append("  </rdf:li>")
    return [*lines, f" </rdf:{kind}>", f"</{name.prefixed}>"]
