r"""Trains the embedded model's byte-level BPE once, on the word list, and writes it as Qwen's tokenizers are written.

In: words_en.txt and hanzi.txt beside this file: all English words and hanzi the model is meant to know, more than
today's grammar uses, so that the vocabulary outlives the grammar's growth. Out: tokenizer.tiktoken (one base64 token
and its rank a line) and tokenizer_config.json (the tags' ids). Any text can be encoded; the list's words, each hanzi
and each digit are one token. Encoding text is not this module's business: tiktoken does it.

    python -m models.embedded.recipe.bpe      writes both files again, byte for byte
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

RECIPE = Path(__file__).parent
CHECKPOINT = RECIPE.parent
VOCABULARY_SIZE = 4096

SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Qwen's."""

TAGS = (
    *("<|endoftext|>", "[[[AUDIO:modality]]]", "<|startoftranscript|>", "<|startofanalysis|>"),
    *("<|translate|>", "<|transcribe|>", "<|caption|>", "<|keyword|>", "<|unknown|>"),
    *("<|en|>", "<|zh|>", "<|de|>", "<|es|>", "<|ko|>", "<|fr|>", "<|ja|>", "<|it|>", "<|zh_tr|>"),
    *("<|notimestamps|>", "<|sil|>", "<|timestamps|>", "<|itn|>", "<|wo_itn|>", "<audio>", "</audio>"),
)
N_RANKS = VOCABULARY_SIZE - len(TAGS)

_MARKS = ("\uff0c", "\u3002", "\uff1f", "\uff01", "\u3001", "\uff1a", "'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
_SIGNS = (" $", "€", " €", "£", " £", "¥", " ¥", "...", "?\n", ".\n")

_HANZI_WEIGHT = 1000
"""Hanzi are merged before anything else: a rare one split in bytes costs three tokens."""
_WORD_WEIGHT = 100
_CAPITAL_WEIGHT = 20
"""A capitalised word without a space before it stands only where a text begins."""


def english_words() -> list[str]:
    """The list's words: lower case, or capitalised where they are names or begin sentences."""
    return (RECIPE / "words_en.txt").read_text("utf-8").split()


def hanzi() -> list[str]:
    return list("".join((RECIPE / "hanzi.txt").read_text("utf-8").split()))


def _pieces() -> Iterator[tuple[str, int]]:
    """What the split pattern hands to the BPE, with weights. Hanzi stand alone: no merge joins two."""
    yield from ((character, _HANZI_WEIGHT) for character in hanzi())
    yield from ((mark, _HANZI_WEIGHT) for mark in (*_MARKS, *_SIGNS))
    for word in english_words():
        yield f" {word}", _WORD_WEIGHT
        if word[0].isupper():
            yield word, _CAPITAL_WEIGHT


def train() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=N_RANKS,
        min_frequency=1,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator((text for text, weight in _pieces() for _ in range(weight)), trainer)
    return tokenizer


def _byte_of_character() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes, which byte-level vocabularies are written in."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


def ranks(tokenizer: Tokenizer) -> dict[bytes, int]:
    byte_of = _byte_of_character()
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    return {bytes(byte_of[character] for character in text): rank for text, rank in vocabulary}


def write(folder: Path) -> None:
    table = ranks(train())
    if len(table) != N_RANKS:
        raise ValueError(f"the word list yields {len(table)} ranks, not {N_RANKS}: add words")
    lines = (f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in table.items())
    (folder / "tokenizer.tiktoken").write_text("".join(lines), "ascii")
    special = {tag: N_RANKS + n for n, tag in enumerate(TAGS)}
    config = json.dumps({"special_tokens": special}, indent=2, ensure_ascii=False)
    (folder / "tokenizer_config.json").write_text(config + "\n", "utf-8")


if __name__ == "__main__":
    write(CHECKPOINT)
