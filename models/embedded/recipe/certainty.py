"""What an interpreter may already say: target tokens that hold however the sentence goes on.

In: a sentence of the grammar, the language heard, how many of its tokens were heard. Out: how many tokens of the other
side are certain. It is exact: the sentences that begin with the sounds heard are followed through all patterns and
slots (numbers by their words: after 三十五 it may still be 三十五万), and the prefix common to all their translations
counts. Final punctuation is never certain. Held-out sentences count as possible, which only shortens the answer.
Cutting sound at a time, and which tokens were heard by then, is not this module's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from models.embedded.recipe.grammar import PATTERNS
from models.embedded.recipe.grammar_types import (
    FINAL_PUNCTUATION,
    Filler,
    Item,
    Language,
    Pattern,
    Sentence,
    SlotRef,
    Token,
)
from models.embedded.recipe.slots import SLOTS

_Units = tuple[str, ...]


def _units(token: Token, language: Language) -> _Units:
    """The words (English) or syllables (Mandarin) in which a token is heard."""
    heard = token.heard
    return tuple(heard) if language == "zh" else tuple(heard.replace("-", " ").split())


def _common(first: _Units, second: _Units) -> _Units:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    return tuple(one for one, _ in same)


@dataclass(slots=True)
class _Node:
    """A point within a slot's fillers, reached by the units heard: what is still possible from here on."""

    common: _Units
    """The beginning (written target tokens) of all fillers that can still come; see _wait_for_the_end."""
    fillers: int = 1
    """How many of them there are."""
    filler: Filler | None = None
    """The filler that is complete here."""
    children: dict[str, "_Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Path:
    """One way in which what was heard fits a pattern: `item` is being heard, `node` where in a slot."""

    pattern: Pattern
    item: int
    node: _Node | None
    known: tuple[tuple[str, Filler], ...]


class Certainty:
    """Answers for both directions. Fillers are read into trees at their first use, so the first answers are slower."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, str, Language], _Node] = {}
        self._starts: dict[Language, dict[str, list[_Path]]] = {"en": {}, "zh": {}}
        for language, starts in self._starts.items():
            for pattern in PATTERNS:
                for unit, path in self._entries(pattern, 0, (), language):
                    starts.setdefault(unit, []).append(path)

    def certain(self, sentence: Sentence, source_language: str, n_heard: int) -> int:
        """How many target tokens are certain after the first `n_heard` source tokens.

        The text is sentence.side(target).prefix(n), which leaves final punctuation away.
        """
        source: Language = "zh" if source_language == "zh" else "en"
        target: Language = "en" if source == "zh" else "zh"
        units = [unit for token in sentence.side(source).tokens[:n_heard] for unit in _units(token, source)]
        if not units:
            return 0
        paths = self._starts[source].get(units[0], [])
        for unit in units[1:]:
            paths = [following for path in paths for following in self._advance(path, unit, source)]
        if not paths:
            raise ValueError(f"no pattern begins like the first {n_heard} tokens of a sentence of {sentence.pattern}")
        tokens = sentence.side(target).tokens
        certain = tuple(token.written for token in tokens[:-1])
        certain += (tokens[-1].written.rstrip(FINAL_PUNCTUATION),)
        for path in paths:
            certain = _common(certain, self._translation(path, target))
        return len(certain)

    def _slot(self, slot: SlotRef, source: Language) -> _Node:
        """The fillers of a slot by their units; an ending ('s) sounds with the last of them."""
        ending = Token("", slot.suffix).heard
        key = (slot.kind, ending, source)
        if key not in self._slots:
            self._slots[key] = _tree(SLOTS[slot.kind], ending, source)
        return self._slots[key]

    def _entries(
        self, pattern: Pattern, index: int, known: tuple[tuple[str, Filler], ...], language: Language
    ) -> Iterator[tuple[str, _Path]]:
        """The units with which an item of a pattern can begin, and where each leads."""
        template = pattern.template(language)
        if index == len(template):
            return
        item = template[index]
        if isinstance(item, Token):
            (unit,) = _units(item, language)
            yield unit, _Path(pattern, index, None, known)
            return
        for unit, node in self._slot(item, language).children.items():
            yield unit, _Path(pattern, index, node, known)

    def _advance(self, path: _Path, unit: str, language: Language) -> Iterator[_Path]:
        known = path.known
        if path.node is not None:
            child = path.node.children.get(unit)
            if child is not None:
                yield _Path(path.pattern, path.item, child, known)
            if path.node.filler is None:
                return
            slot = path.pattern.template(language)[path.item]
            assert isinstance(slot, SlotRef)
            known = (*known, (slot.name, path.node.filler))
        template = path.pattern.template(language)
        if path.item + 1 == len(template):
            return
        item = template[path.item + 1]
        if isinstance(item, SlotRef):
            child = self._slot(item, language).children.get(unit)
            if child is not None:
                yield _Path(path.pattern, path.item + 1, child, known)
        elif _units(item, language) == (unit,):
            yield _Path(path.pattern, path.item + 1, None, known)

    def _translation(self, path: _Path, target: Language) -> _Units:
        """What is certain if this path is the one: up to the first slot that was not wholly heard."""
        source: Language = "en" if target == "zh" else "zh"
        known = dict(path.known)
        begun: dict[str, _Node] = {}
        if path.node is not None:
            slot = path.pattern.template(source)[path.item]
            assert isinstance(slot, SlotRef)
            if path.node.filler is not None and not path.node.children:
                known[slot.name] = path.node.filler
            begun[slot.name] = path.node
        written: list[str] = []
        template = path.pattern.template(target)
        for index, item in enumerate(template):
            is_last = index == len(template) - 1
            if isinstance(item, SlotRef) and item.name not in known:
                node = begun.get(item.name) or self._slot(_in_other(item, path.pattern, source), source)
                suffix = item.suffix.rstrip(FINAL_PUNCTUATION) if is_last else item.suffix
                written.extend(node.common[:-1] if suffix else node.common)
                break
            written.extend(_written(item, known, target))
            if is_last:
                written[-1] = written[-1].rstrip(FINAL_PUNCTUATION)
        if target == "en" and written:
            written[0] = written[0][:1].upper() + written[0][1:]
        return tuple(written)


def _written(item: Item, known: dict[str, Filler], language: Language) -> list[str]:
    if isinstance(item, Token):
        return [item.written]
    written = [token.written for token in known[item.name].tokens(language)]
    written[-1] += item.suffix
    return written


def _in_other(slot: SlotRef, pattern: Pattern, language: Language) -> SlotRef:
    """The same slot in the pattern's other template, with the suffix it has there."""
    return next(item for item in pattern.template(language) if isinstance(item, SlotRef) and item.name == slot.name)


def _tree(fillers: tuple[Filler, ...], ending: str, source: Language) -> _Node:
    target: Language = "en" if source == "zh" else "zh"
    root: _Node | None = None
    for filler in fillers:
        written = tuple(token.written for token in filler.tokens(target))
        tokens = filler.tokens(source)
        units = [unit for token in tokens for unit in _units(token, source)]
        units[-1] += ending
        root = root or _Node(written)
        node = root
        node.common, node.fillers = _common(node.common, written), node.fillers + 1
        for unit in units:
            child = node.children.get(unit)
            if child is None:
                child = node.children[unit] = _Node(written)
            else:
                child.common, child.fillers = _common(child.common, written), child.fillers + 1
            node = child
        if node.filler is not None:
            raise ValueError(f"{filler.key} and {node.filler.key} sound the same")
        node.filler = filler
    assert root is not None, "a slot has fillers"
    _wait_for_the_end(root, root.common)
    return root


def _wait_for_the_end(node: _Node, shared: _Units) -> None:
    """One syllable may leave a single filler (悉 of 悉尼), yet no ear can tell: it counts when complete."""
    if node.fillers > 1 or node.filler is not None:
        shared = node.common
    node.common = shared
    for child in node.children.values():
        _wait_for_the_end(child, shared)
