"""The pictures at another size: larger for a second pass or for the specialist, or as the category needs."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.sizes import full_pictures, shown
from onelook.graph.state import State, category_of, unanswered
from onelook.ledger.stamps import span
from onelook.result import FirstLook
from onelook.services import Services
from onelook.types import Context


async def enlarge(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Prepare the pictures at full size from what is decoded already. It runs once at most.

    An answer that was not sure is kept as the first look, and the pictures count as unanswered again. An answer on its
    way to the specialist stays; its pictures have the size grid of the specialist.

    Raises:
        ImageUnreadable: a picture is truncated or broken.
        ImageTooLarge: sizing it takes too long.
    """
    to_specialist = state["then"] == "for the specialist"
    engine = services.specialist if to_specialist and services.specialist is not None else services.engine
    with span("transform"):
        pictures = await full_pictures(services, state, runtime.context, engine)
    update: State = {
        "pictures": pictures,
        "enlarged": True,
        "way": state["then"],
        "why": state["why"],
    }
    if state["known"] != "answer" or to_specialist:
        return update
    first = FirstLook(
        reason=state["why"], pictures=shown(state["pictures"]), category=category_of(state), details=state["details"]
    )
    return {**unanswered(), **update, "first_look": first}
