"""How values are written in RDF/XML, in the forms that the XMP specification (ISO 16684-1, 7) and programs know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from onelook.batch.xmp.names import RDF, Property
from onelook.batch.xmp.packet import DESCRIPTION, Element, Packet

ALT: Final = Property(RDF, "Alt")
CONTAINERS: Final = (Property(RDF, "Bag"), Property(RDF, "Seq"), ALT)
ITEM: Final = Property(RDF, "li")
VALUE: Final = Property(RDF, "value")
RESOURCE: Final = Property(RDF, "resource")


@dataclass(frozen=True, slots=True)
class Found:
    """A property where it stands: as an element, or as an attribute of the rdf:Description `owner`."""

    name: Property
    owner: Element
    element: Element | None

    @property
    def container(self) -> Element | None:
        return None if self.element is None else self.element.child(*CONTAINERS)

    @property
    def values(self) -> list[str]:
        """The entries of the list; a value that should be a list counts as its only entry."""
        if self.element is None:
            return [self.owner.attributes[self.name].value.strip()]
        if self.container is not None:
            return [text(each).strip() for each in self.container.children]
        alone = text(self.element).strip()
        return [alone] if alone else []

    @property
    def understood(self) -> bool:
        """Whether it has a form that a list of keywords can have, right or wrong kind of container."""
        element = self.element
        if element is None:
            return True
        if self.container is not None:
            return len(element.children) == 1
        return not element.children and RESOURCE not in element.attributes


def find(packet: Packet, *properties: Property) -> list[Found]:
    """Where these properties stand, in any rdf:Description."""
    found = list[Found]()
    for owner in packet.descriptions:
        found += [Found(each, owner, None) for each in properties if each in owner.attributes]
        found += [Found(each.name, owner, each) for each in owner.children if each.name in properties]
    return found


def text(element: Element) -> str:
    """The value of a property or an item; where it has qualifiers, its rdf:value."""
    if VALUE in element.attributes:
        return element.attributes[VALUE].value
    inner = element.child(VALUE) or element.child(DESCRIPTION)
    return element.text if inner is None else text(inner)


def fields(element: Element) -> Iterator[tuple[Property, str]]:
    """The fields of a structure: as attributes, as elements, or in an rdf:Description of its own."""
    for name, attribute in element.attributes.items():
        if name.namespace != RDF:
            yield name, attribute.value
    for each in element.children:
        if each.name == DESCRIPTION:
            yield from fields(each)
        else:
            yield each.name, text(each)


def take(ours: Counter[str], entry: str) -> bool:
    """Whether `entry` is one of `ours`, each of which is taken once."""
    if not ours[entry]:
        return False
    ours[entry] -= 1
    return True
