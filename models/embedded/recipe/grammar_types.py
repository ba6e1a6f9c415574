"""The types of the recipe's grammar and how templates are read.

In: template strings ("Let's meet {when} at {clock}.") and filler strings. Out: tokens, sides, sentences, patterns.
Which patterns and fillers exist, and which sentences are held out, is not this module's business.
"""

import re
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]

FINAL_PUNCTUATION = ".?!\u3002\uff1f\uff01"
_EN_MARKS = ",.?!:;"
_FULL_WIDTH = str.maketrans({",": "\uff0c", "?": "\uff1f", "!": "\uff01", ";": "\uff1b"})
"""Mandarin's marks are full-width, however a template is typed. A colon stays as it is: it stands in 9:10."""
_ZH_MARKS = ":\u3002\u3001\uff0c\uff1f\uff01\uff1b"
_SLOT = re.compile(r"\{([a-z_]+(?:\.\d)?)\}")
_ZH_PIECE = re.compile(rf"[a-zA-Z0-9]+|[^{_ZH_MARKS}\s]|[{_ZH_MARKS}]+")


@dataclass(frozen=True, slots=True)
class Token:
    """The smallest unit with its own spoken form, its punctuation included: Token("15%,", "fifteen percent,")."""

    written: str
    spoken: str

    def followed_by(self, mark: str) -> "Token":
        """The same token with punctuation or an ending ('s) attached."""
        return Token(self.written + mark, self.spoken + mark)

    def capitalized(self) -> "Token":
        return Token(self.written[:1].upper() + self.written[1:], self.spoken[:1].upper() + self.spoken[1:])

    @property
    def heard(self) -> str:
        """What the ear gets: the spoken form without case and punctuation."""
        return self.spoken.strip(_EN_MARKS + _ZH_MARKS).lower()


@dataclass(frozen=True, slots=True)
class Side:
    """One language of a sentence."""

    tokens: tuple[Token, ...]
    language: Language

    @property
    def written(self) -> str:
        return _joint(self.language).join(token.written for token in self.tokens)

    @property
    def spoken(self) -> str:
        return _joint(self.language).join(token.spoken for token in self.tokens)

    def prefix(self, n_tokens: int) -> str:
        """The first tokens as they are written, without the sentence's final punctuation even if all are taken."""
        text = _joint(self.language).join(token.written for token in self.tokens[:n_tokens])
        return text.rstrip(FINAL_PUNCTUATION) if n_tokens >= len(self.tokens) else text


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages. `fillers` has (slot name, filler key) in the English order."""

    pattern: str
    fillers: tuple[tuple[str, str], ...]
    en: Side
    zh: Side

    def side(self, language: str) -> Side:
        return {"en": self.en, "zh": self.zh}[language]


@dataclass(frozen=True, slots=True)
class Filler:
    """What may stand in a slot, in both languages. The key (the English text) names it in the pair split."""

    key: str
    en: tuple[Token, ...]
    zh: tuple[Token, ...]

    def tokens(self, language: Language) -> tuple[Token, ...]:
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class SlotRef:
    """A place in a template: `name` is unique in its pattern ("person.2"), `kind` says what may stand in it."""

    name: str
    suffix: str

    @property
    def kind(self) -> str:
        return self.name.partition(".")[0]


Item = Token | SlotRef


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pair of templates that say the same."""

    name: str
    topic: str
    en: tuple[Item, ...]
    zh: tuple[Item, ...]

    def template(self, language: Language) -> tuple[Item, ...]:
        return self.en if language == "en" else self.zh

    @property
    def slots(self) -> tuple[str, ...]:
        """Slot names in the English order."""
        return tuple(item.name for item in self.en if isinstance(item, SlotRef))


def _joint(language: Language) -> str:
    return " " if language == "en" else ""


def en_tokens(text: str) -> tuple[Token, ...]:
    return tuple(Token(word, _en_spoken_word(word)) for word in text.split())


def zh_tokens(text: str) -> tuple[Token, ...]:
    """One token a hanzi; punctuation belongs to the one before it."""
    tokens: list[Token] = []
    for piece in _ZH_PIECE.findall(text.translate(_FULL_WIDTH)):
        if piece[0] in _ZH_MARKS:
            tokens[-1] = tokens[-1].followed_by(piece)
        else:
            tokens.append(Token(piece, piece))
    return tuple(tokens)


def _en_spoken_word(word: str) -> str:
    return {"Mr.": "Mister", "Ms.": "Miz"}.get(word, word)


def en_template(text: str) -> tuple[Item, ...]:
    """Words parted by spaces; what follows a slot without a space ({person}'s) is attached to its last token."""
    items: list[Item] = []
    for word in text.split():
        slot = _SLOT.match(word)
        items.append(SlotRef(slot[1], word[slot.end() :]) if slot else en_tokens(word)[0])
    return tuple(items)


def zh_template(text: str) -> tuple[Item, ...]:
    text = text.translate(_FULL_WIDTH)
    items: list[Item] = []
    position = 0
    for slot in _SLOT.finditer(text):
        items.extend(zh_tokens(text[position : slot.start()]))
        position = slot.end()
        marks = len(text[position:]) - len(text[position:].lstrip(_ZH_MARKS))
        items.append(SlotRef(slot[1], text[position : position + marks]))
        position += marks
    items.extend(zh_tokens(text[position:]))
    return tuple(items)


def realize(template: tuple[Item, ...], fillers: dict[str, Filler], language: Language) -> tuple[Token, ...]:
    """The tokens of a template with its slots filled; an English sentence begins with a capital."""
    tokens: list[Token] = []
    for item in template:
        if isinstance(item, Token):
            tokens.append(item)
            continue
        filled = fillers[item.name].tokens(language)
        tokens.extend(filled[:-1])
        tokens.append(filled[-1].followed_by(item.suffix))
    if language == "en":
        tokens[0] = tokens[0].capitalized()
    return tuple(tokens)
