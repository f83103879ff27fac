"""Options of the commands that tag pictures: the choices of a run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ValidationError

from onelook.cli.option_groups import OptionGroup
from onelook.cli.options import setting
from onelook.errors import SettingsError
from onelook.graph.arms import ArmName
from onelook.settings.defaults import default_words
from onelook.types import Context, ReplyFormat, Resolution, Trim

LANGUAGE = "The language in which the model reads and writes: en, zh, de …"

ArmOption = Annotated[ArmName | None, setting("run.arm", words="The way through the graph: see `onelook graph`.")]
ConcurrencyOption = Annotated[int | None, setting("concurrency")]


class RunOptions(OptionGroup):
    """Every field of `Context`."""

    arm: ArmOption = None
    reply_format: Annotated[ReplyFormat | None, setting("run.reply_format", "--format")] = None
    language: Annotated[str | None, setting("run.language", words=LANGUAGE)] = None
    resolution: Annotated[
        Resolution | None,
        setting(
            "run.resolution",
            words="Send all at --long-edge (fixed), or as photos, pages of text and diagrams need (auto).",
        ),
    ] = None
    long_edge: Annotated[int | None, setting("run.long_edge")] = None
    trim: Annotated[Trim | None, setting("run.trim")] = None
    adaptive: Annotated[bool | None, setting("run.adaptive")] = None
    debias: Annotated[bool | None, setting("run.debias")] = None
    confidence_threshold: Annotated[float | None, setting("run.confidence_threshold", "--threshold")] = None
    escalate: Annotated[bool | None, setting("run.escalate")] = None

    def context(self, **others: Any) -> Context:
        """The choices that these options and `others` make. A long edge here beats a resolution that is set elsewhere.

        Raises:
            SettingsError: a value is wrong, or two contradict each other; the message names the options.
        """
        chosen = self.given | {name: value for name, value in others.items() if value is not None}
        if "long_edge" in chosen:
            if self.resolution == "auto":
                raise SettingsError(
                    "--long-edge is for --resolution fixed; with auto, each picture's content decides",
                    hint="leave one of them out; auto's own sizes are settings: ONELOOK_RESOLUTION__PHOTO_MOST=768"
                    " and so on",
                )
            chosen["resolution"] = "fixed"
        try:
            return Context(**chosen)
        except ValidationError as error:
            problems = "; ".join(
                f"--{'.'.join(str(part) for part in problem['loc']).replace('_', '-')}: {problem['msg']}"
                for problem in error.errors(include_url=False)
            )
            raise SettingsError(problems, hint="`onelook tag --help` lists the choices") from None


class UserRunOptions(RunOptions):
    """Of commands whose runs are in the user's language, if the taxonomy has it."""

    language: Annotated[
        str | None,
        setting(
            "run.language",
            words=LANGUAGE,
            default=default_words("run.language").replace(", or", ", your locale's if the taxonomy has it, or"),
        ),
    ] = None
