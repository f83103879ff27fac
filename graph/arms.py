"""The arms: ways through the graph that an experiment compares. An arm is data; what depends on it asks its object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from onelook.graph.ways import EntryWay

ArmName = Literal["fused", "reads", "hybrid", "legacy", "legacy_shared"]
Entry = Literal["analyze", "read", "route", "classify"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm.

    `entry`: the node that follows `prepare`. `entry_enlarged`: the node that a second pass on a larger picture enters.
    `routed`: a zero-shot classifier names the category. `guided`: replies are constrained; free text, which may be
    unreadable, is asked for once more. `two_calls`: category and details are calls of their own, each reply parsed by a
    node of its own. `lettered`: labels are read as single letters, which needs a constraint beyond JSON schemas.
    """

    name: ArmName
    entry: Entry
    description: str
    entry_enlarged: Entry
    routed: bool = False
    guided: bool = True
    two_calls: bool = False
    lettered: bool = False

    @property
    def one_call(self) -> bool:
        """Whether one guided question, which is known beforehand, answers all."""
        return self.guided and not (self.two_calls or self.lettered or self.routed)


_ALL = (
    Arm(
        name="fused",
        entry="analyze",
        entry_enlarged="analyze",
        description="one guided call writes the category and its details",
    ),
    Arm(
        name="reads",
        entry="read",
        entry_enlarged="read",
        description="labels are read as letters, one token a question, on one cached prefix",
        lettered=True,
    ),
    Arm(
        name="hybrid",
        entry="route",
        entry_enlarged="analyze",
        description="a classifier names the category, and the model is asked for its details",
        routed=True,
    ),
    Arm(
        name="legacy",
        entry="classify",
        entry_enlarged="classify",
        description="two calls with free text, as found in the field",
        guided=False,
        two_calls=True,
    ),
    Arm(
        name="legacy_shared",
        entry="classify",
        entry_enlarged="classify",
        description="two guided calls on one cached prefix",
        two_calls=True,
    ),
)

ARMS: Final[Mapping[ArmName, Arm]] = {arm.name: arm for arm in _ALL}


_WAYS: Mapping[Entry, EntryWay] = {
    "analyze": "fused",
    "read": "reads",
    "route": "hybrid",
    "classify": "legacy, legacy_shared",
}


def way_to(entry: Entry) -> EntryWay:
    """What the edge from `prepare` to the node `entry` is called: the arms that take it."""
    return _WAYS[entry]
