"""What a run works with, where its questions go into files: everything but a server."""

from __future__ import annotations

from typing import Literal

from onelook.batch.fingerprint import Fingerprint, fingerprint
from onelook.engines.openai.engine import OpenAIEngine
from onelook.engines.openai.served_model import ServedModel
from onelook.engines.openai.thinking import FIELD
from onelook.errors import SettingsError
from onelook.graph.arms import ARMS
from onelook.services import Services
from onelook.settings.choices import complete
from onelook.settings.hints import set_to
from onelook.settings.process import Settings
from onelook.tagger import build_services
from onelook.types import Context

Reader = Literal["vllm", "openai"]
"""Who answers the files: vLLM keeps an exact constraint in a field of its own; OpenAI's API refuses that field."""


class Offline:
    """`services`, the complete `context` of the run, and the `fingerprint` of its answers."""

    def __init__(self, settings: Settings, context: Context, reader: Reader) -> None:
        """
        Raises:
            SettingsError: no model is named, or a picture could take more than one question.
        """
        if settings.model is None:
            raise SettingsError(
                "a file of questions names its model",
                hint=f"{set_to(ONELOOK_MODEL='NAME')}, as the server that reads the file calls it",
            )
        guidance = settings.guidance
        if guidance == "auto":
            guidance = "structured_outputs" if reader == "vllm" else "response_format"
        self.served = ServedModel(settings.model, guidance, batches=False)
        self.engine = OpenAIEngine.unconnected(settings, self.served)
        self.services: Services = build_services(settings, self.engine)
        self.context = complete(context, self.services.run)
        self.left_out = () if reader == "vllm" else (FIELD,)
        """Fields that the reader refuses."""
        self._refuse_more_questions()
        self.fingerprint: Fingerprint = fingerprint(self.services, self.context)

    def _refuse_more_questions(self) -> None:
        one_question = "a file has one question for each picture"
        if not ARMS[self.context.arm].one_call:
            raise SettingsError(
                f"the arm {self.context.arm} asks several: {one_question}", hint=set_to(ONELOOK_RUN__ARM="fused")
            )
        if self.context.adaptive:
            raise SettingsError(
                f"an adaptive run may look twice: {one_question}", hint=set_to(ONELOOK_RUN__ADAPTIVE=False)
            )
        if self.context.escalate and self.services.specialist is not None:
            raise SettingsError(
                f"a specialist answers hard pictures again: {one_question}",
                hint=f"{set_to(ONELOOK_RUN__ESCALATE=False)}, and a run with the specialist afterwards",
            )
        if self.context.reply_format == "compact" and self.served.guidance == "response_format":
            raise SettingsError(
                "response_format constrains JSON replies only",
                hint=f"{set_to(ONELOOK_RUN__REPLY_FORMAT='json')}, or --for vllm",
            )
