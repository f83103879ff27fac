"""Results as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from onelook.errors import SettingsError
from onelook.result import FLAT_KEYS, TagResult

if TYPE_CHECKING:
    import pandas


def to_dataframe(results: Iterable[TagResult | tuple[int, TagResult]]) -> pandas.DataFrame:
    """One row a result, one column a key of `TagResult.flat()`; a key that a result lacks is left empty.

    `results` can be what `Tagger.tag_many_sync` yields as well: the rows then stand in the order of the pictures.

    Raises:
        SettingsError: pandas is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        raise SettingsError(
            "to_dataframe needs pandas, which is not installed: run `pip install pandas`", hint="pip install pandas"
        ) from None
    numbered = [each if isinstance(each, tuple) else (number, each) for number, each in enumerate(results)]
    numbered.sort(key=lambda pair: pair[0])
    rows = [result.flat() for _, result in numbered]
    columns = list(dict.fromkeys([*FLAT_KEYS, *(key for row in rows for key in row)]))
    return pandas.DataFrame(rows, columns=columns, index=[number for number, _ in numbered])
