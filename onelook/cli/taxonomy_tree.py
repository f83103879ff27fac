"""A taxonomy as a tree."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from rich.tree import Tree

from onelook.prompts.taxonomy.model import Taxonomy
from onelook.types import Language


def taxonomy_tree(taxonomy: Taxonomy) -> Tree:
    """Categories, their attributes and the options of each, in every language of the document."""
    tree = Tree(Text(taxonomy.name, style="bold"))
    for category_id, category in taxonomy.categories.items():
        branch = tree.add(_line(category_id, category.label, "bold cyan"))
        for attribute_id, attribute in category.details.items():
            words = _line(attribute_id, attribute.label, "cyan")
            words.append(" (one)" if attribute.choose == "one" else " (any number)", style="bright_black")
            leaf = branch.add(words)
            for option_id, option in attribute.options.items():
                leaf.add(_line(option_id, option, ""))
    return tree


def _line(name: str, labels: Mapping[Language, str], style: str) -> Text:
    return Text.assemble((name, style), "  ", (" / ".join(labels.values()), "bright_black"))
