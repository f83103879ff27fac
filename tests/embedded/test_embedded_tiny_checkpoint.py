"""The checkpoint of random weights: made in seconds, the same each time, and open about what it is."""

from __future__ import annotations

from pathlib import Path

from tools.demo_model.tiny import build_tiny_checkpoint, train_tokenizer, weights_are_random


def test_the_same_seed_and_texts_give_the_same_bytes(tmp_path: Path, tiny_checkpoint: Path) -> None:
    again = build_tiny_checkpoint(tmp_path / "again")
    files = sorted(file.name for file in tiny_checkpoint.iterdir())
    assert files == sorted(file.name for file in again.iterdir())
    assert all((tiny_checkpoint / name).read_bytes() == (again / name).read_bytes() for name in files)


def test_another_seed_gives_other_weights(tmp_path: Path, tiny_checkpoint: Path) -> None:
    other = build_tiny_checkpoint(tmp_path / "other", seed=1)
    assert (other / "model.safetensors").read_bytes() != (tiny_checkpoint / "model.safetensors").read_bytes()


def test_it_says_that_its_weights_are_random(tmp_path: Path, tiny_checkpoint: Path) -> None:
    assert weights_are_random(tiny_checkpoint)
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n\nA trained model.\n", encoding="utf-8")
    assert not weights_are_random(tmp_path)
    assert not weights_are_random(tmp_path / "nowhere")


def test_its_tokenizer_can_write_anything() -> None:
    tokenizer = train_tokenizer(["人像 portrait"])
    for text in ("人像", "名字：Ω🦉", '{"a":["b"]}', "two\n\nlines "):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_words_of_the_texts_become_few_tokens() -> None:
    tokenizer = train_tokenizer(["人像 动物 风景"] * 10)
    assert len(tokenizer.encode("人像")) < len("人像".encode())
