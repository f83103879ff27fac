"""What a run needs of the engines and of the taxonomy: asked once before the first picture, not with each."""

from __future__ import annotations

from onelook.engines.base import Constraints
from onelook.errors import SettingsError
from onelook.graph.arms import ARMS
from onelook.services import Services
from onelook.settings.hints import set_to
from onelook.types import Context


def needed_constraints(context: Context) -> Constraints:
    """What the first engine's replies are held to."""
    arm = ARMS[context.arm]
    if not arm.guided:
        return "none"
    return "regex" if arm.lettered or context.reply_format == "compact" else "schema"


def specialist_constraints(context: Context) -> Constraints:
    """What the specialist's replies are held to: it is asked in one guided call, whatever the arm is."""
    return "regex" if context.reply_format == "compact" else "schema"


def refuse_unmet(services: Services, context: Context) -> None:
    """Sends nothing. A server reports what it can do with its first answer, so this knows most after `Engine.start`.

    Raises:
        SettingsError: an engine keeps JSON schemas only, and the arm or the format of its replies needs more; or the
            arm is routed, and the router has found that it cannot read the taxonomy's texts.
        PromptError: the arm answers by letters, and there are more options than letters tell apart.
    """
    arm = ARMS[context.arm]
    if needed_constraints(context) == "regex" and services.engine.capabilities.constraints == "schema":
        what = f"arm {arm.name}" if arm.lettered else "reply format compact"
        raise _schema_only(what, services.engine.model, "")
    specialist = services.specialist if context.escalate else None
    if (
        specialist is not None
        and specialist_constraints(context) == "regex"
        and specialist.capabilities.constraints == "schema"
    ):
        raise _schema_only("reply format compact", specialist.model, "SPECIALIST__")
    if arm.routed and services.router.unfit is not None:
        raise services.router.unfit
    if arm.lettered:
        services.prompts[context.language].refuse_too_many_options()


def _schema_only(what: str, model: str, part: str) -> SettingsError:
    who = "the server" if model == "unknown" else model  # it was not asked yet which model it has
    return SettingsError(
        f"{what} needs regex and choice constraints, and {who} keeps JSON schemas only",
        hint=f"{set_to(ONELOOK_RUN__ARM='fused', ONELOOK_RUN__REPLY_FORMAT='json')};"
        f" on a vLLM server set ONELOOK_{part}GUIDANCE=structured_outputs",
    )
