"""A prompt that does not fit into the model's context: what is large in it, the text or the pictures."""

from __future__ import annotations

from dataclasses import dataclass

from onelook.settings.hints import set_to

SMALLER_PICTURE = f"send the pictures smaller: {set_to(ONELOOK_RUN__LONG_EDGE=448)}"
SHORTER_ANSWER = f"take the short format: {set_to(ONELOOK_RUN__REPLY_FORMAT='compact')}"
SHORTER_TEXT = (
    "the questions of this taxonomy are long: shorten its `when` texts or leave categories out, or use another arm or"
    " format; `onelook taxonomy check` lists the tokens of each"
)


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """The tokens of a prompt: those of its text, chat template included, and those of its pictures."""

    text: int
    pictures: int

    @classmethod
    def of(cls, prompt: int, *, pictures: int) -> PromptTokens:
        return cls(prompt - pictures, pictures)

    @property
    def total(self) -> int:
        return self.text + self.pictures

    def fits(self, answer: int, context: int) -> bool:
        return self.total + answer <= context

    def misfit(self, answer: int, context: int) -> str:
        """Why it does not fit."""
        return (
            f"{self.total:,} prompt tokens ({self.text:,} of text, {self.pictures:,} of pictures) and {answer:,} for"
            f" the answer do not fit into the model's context of {context:,}"
        )

    def cure(self, answer: int, context: int) -> str:
        """What to do about it: to the answer or the text if no picture is small enough, or if the text is the larger
        part."""
        if self.text + answer >= context and answer > self.text:
            return f"the answer is too long, whatever the picture is: {SHORTER_ANSWER}"
        if self.text + answer >= context:
            return f"the text is too long, whatever the picture is: {SHORTER_TEXT}"
        if self.text > self.pictures:
            return f"most of the prompt is text: {SHORTER_TEXT}; or {SMALLER_PICTURE}"
        return f"most of the prompt is the picture: {SMALLER_PICTURE}"
