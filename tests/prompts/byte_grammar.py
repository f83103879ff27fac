"""xgrammar on a vocabulary of single bytes: what a guided model could say at all."""

from __future__ import annotations

import xgrammar

from onelook.constraint import Choice, Constraint, JsonSchema

END = 256
BYTES = xgrammar.TokenizerInfo(
    [bytes([byte]) for byte in range(END)] + [b"</s>"], vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[END]
)


class ByteGrammar:
    """A compiled grammar, with the question whether it lets a text through from start to end."""

    def __init__(self, grammar: xgrammar.Grammar) -> None:
        compiler = xgrammar.GrammarCompiler(BYTES, max_threads=1, cache_enabled=False)
        self._matcher = xgrammar.GrammarMatcher(compiler.compile_grammar(grammar))

    @classmethod
    def of(cls, constraint: Constraint) -> ByteGrammar:
        """The grammar of an exact engine."""
        if isinstance(constraint, Choice):
            alternatives = " | ".join(xgrammar_literal(option) for option in constraint.options)
            return cls(xgrammar.Grammar.from_ebnf(f"root ::= {alternatives}"))
        pattern = constraint.regex if isinstance(constraint, JsonSchema) else constraint.pattern
        return cls(xgrammar.Grammar.from_regex(pattern))

    def accepts(self, text: str) -> bool:
        self._matcher.reset()
        return all(self._matcher.accept_token(token) for token in (*text.encode(), END))


def xgrammar_literal(text: str) -> str:
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'
