"""The taxonomy that comes with onelook."""

from __future__ import annotations

from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS


def test_the_default_taxonomy_has_the_promised_categories() -> None:
    taxonomy = load_taxonomy(PHOTOS)
    assert taxonomy.languages == ("zh", "en")
    with_details = ["portrait", "animal", "landscape", "food", "document", "diagram"]
    assert [id_ for id_, category in taxonomy.categories.items() if category.details] == with_details
    assert [id_ for id_, category in taxonomy.categories.items() if not category.details] == [
        "building",
        "plant",
        "other",
    ]
