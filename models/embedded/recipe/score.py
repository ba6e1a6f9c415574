"""How good a checkpoint is on what it was never trained on: a table, computed through the real translator.

In: a checkpoint folder, a number of items a row. Out: lines of a Markdown table. All items are drawn by fixed seeds
from the held-out splits. Speed is not its business.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sacrebleu import corpus_bleu

from models.base import SAMPLE_RATE, Branch, Hypothesis, Request, Samples, Task
from models.embedded.recipe import augment, segments, speech
from models.embedded.recipe.augment import Conditions
from models.embedded.recipe.grammar import Split, sample
from models.embedded.recipe.segments import OTHER
from models.qwen_audio.translator import QwenAudioTranslator

SEED = 20261122
TOKENIZE = {"en": "13a", "zh": "zh"}
"""sacrebleu's tokenizer by target language."""
PREFIX_STEP_S = 0.4
N_PREFIX_CLIPS = 40
"""Utterances whose growing prefixes are decoded: each costs about eight decodings."""
QUIET_KINDS, BUSY_KINDS = ("silence", "noise"), ("tones", "bursts", "swelling")

Draw = Callable[[np.random.Generator], Conditions]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of held-out item."""

    name: str
    split: Split = "sentence"
    variants: Sequence[str] = speech.VARIANTS
    n_sentences: tuple[int, ...] = (1,)
    conditions: Draw = augment.draw_conditions


@dataclass(frozen=True, slots=True)
class Case:
    """One clip and what should be written for it."""

    samples: Samples
    language: str
    transcript: str
    translation: str


def _clean(_: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6)


def _noisy(rng: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6, snr_db=10, noise=str(rng.choice(list(augment.NOISES))))


def _telephone(_: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6, snr_db=30, band_hz=augment.TELEPHONE_BAND_HZ)


def _room(_: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6, snr_db=35, room_s=0.4)


ROWS = (
    Row("held-out sentences"),
    Row("held-out pairs", split="pair"),
    Row("held-out voices", variants=speech.HELD_VARIANTS),
    Row("held-out voices, clean", variants=speech.HELD_VARIANTS, conditions=_clean),
    Row("two or three sentences", n_sentences=(2, 3)),
    Row("noise, 10 dB", conditions=_noisy),
    Row("telephone band", conditions=_telephone),
    Row("room", conditions=_room),
)


def cases(row: Row, language: str, n: int) -> Iterator[Case]:
    """The items of a row in one language: always the same ones."""
    rng = random.Random(f"{SEED}/{row.name}/{language}")
    sounds = np.random.default_rng(rng.getrandbits(64))
    for _ in range(n):
        sentences = [sample(rng, row.split) for _ in range(rng.choice(row.n_sentences))]
        voice = speech.draw_voice(rng, language, row.variants)
        shape = segments.draw_shape(rng, len(sentences), 0)
        shape = replace(shape, lead_s=0.3, tail_s=rng.uniform(0.3, 0.6))
        clip = segments.compose(sentences, language, voice, shape)
        example = segments.whole(clip, row.conditions(sounds), sounds, _nothing_is_cut)
        yield Case(example.samples, language, example.transcript, example.translation)


def reference_clips() -> list[tuple[Samples, str, Task]]:
    """What expected.safetensors is made of: one sentence of each language, two of them, and less than a second."""
    single = Row("reference", variants=speech.HELD_VARIANTS, conditions=_clean)
    (zh,), (en,) = (list(cases(single, language, 1)) for language in ("zh", "en"))
    (pair,) = cases(replace(single, name="reference pair", n_sentences=(2,)), "en", 1)
    begun = zh.samples[: int(0.8 * SAMPLE_RATE)]
    return [
        (zh.samples, "zh", "translate"),
        (en.samples, "en", "transcribe"),
        (pair.samples, "en", "translate"),
        (begun, "zh", "transcribe"),
    ]


def _nothing_is_cut(*_: object) -> int:
    raise AssertionError("a whole clip asks for no certain tokens")


def ask(translator: QwenAudioTranslator, samples: Samples) -> Hypothesis:
    """Both texts of a clip whose language is not given."""
    request = Request(0, 0, samples, None, OTHER, (Branch("translate"), Branch("transcribe")))
    return translator.translate(request, lambda: False)


@dataclass(frozen=True, slots=True)
class Result:
    """A row's figures in one language, in percent."""

    n: int
    bleu: float
    exact: float
    transcript_exact: float
    language: float


def score_row(translator: QwenAudioTranslator, row: Row, language: str, n: int) -> Result:
    """Translate a row's items and compare. A language named wrong counts as a wrong text."""
    wanted = list(cases(row, language, n))
    got = [ask(translator, case.samples) for case in wanted]
    translations = [_text(hypothesis, 0) for hypothesis in got]
    transcripts = [_text(hypothesis, 1) for hypothesis in got]
    bleu = corpus_bleu(translations, [[case.translation for case in wanted]], tokenize=TOKENIZE[OTHER[language]])
    return Result(
        n,
        float(bleu.score),
        _share(text == case.translation for text, case in zip(translations, wanted, strict=True)),
        _share(text == case.transcript for text, case in zip(transcripts, wanted, strict=True)),
        _share(hypothesis.source == language for hypothesis in got),
    )


def _text(hypothesis: Hypothesis, branch: int) -> str:
    return hypothesis.outcomes[branch].text.strip()


def _share(flags: Iterator[bool]) -> float:
    values = list(flags)
    return 100.0 * sum(values) / len(values)


def score_non_speech(translator: QwenAudioTranslator, kinds: Sequence[str], n: int) -> float:
    """Percent of clips without speech for which something is written."""
    rng = random.Random(f"{SEED}/{'/'.join(kinds)}")
    sounds = np.random.default_rng(rng.getrandbits(64))
    clips = (
        augment.non_speech(kinds[i % len(kinds)], round(rng.uniform(0.5, 8) * SAMPLE_RATE), sounds) for i in range(n)
    )
    return _share(any(outcome.text.strip() for outcome in ask(translator, clip).outcomes) for clip in clips)


def score_prefixes(translator: QwenAudioTranslator, language: str, n: int) -> tuple[int, float]:
    """How many growing prefixes were translated, and the percent whose text is a prefix of the final one."""
    row = Row("prefixes", variants=speech.HELD_VARIANTS)
    flags: list[bool] = []
    for case in cases(row, language, n):
        final = _text(ask(translator, case.samples), 0)
        step = round(PREFIX_STEP_S * SAMPLE_RATE)
        flags += [
            final.startswith(_text(ask(translator, case.samples[:end]), 0))
            for end in range(step, len(case.samples), step)
        ]
    return len(flags), _share(iter(flags))


def print_scores(folder: Path, n: int, only: str, show: Callable[[str], None]) -> None:
    """Print the table for a checkpoint, row by row.

    Args:
        folder: the checkpoint.
        n: items a row and language.
        only: beginning of the names of the rows wanted.
        show: takes each line.
    """
    translator = QwenAudioTranslator(str(folder), "cpu")
    translator.load(lambda _: None)
    show("| what | direction | n | BLEU | exact % | transcript exact % | language right % |")
    show("|---|---|---|---|---|---|---|")
    for row in ROWS:
        for language in ("zh", "en") if row.name.startswith(only) else ():
            r = score_row(translator, row, language, n)
            figures = f"{r.bleu:.1f} | {r.exact:.1f} | {r.transcript_exact:.1f} | {r.language:.1f}"
            show(f"| {row.name} | {language}-{OTHER[language]} | {r.n} | {figures} |")
    for name, kinds in (("silence and steady noise", QUIET_KINDS), ("other non-speech", BUSY_KINDS)):
        if f"text on {name}".startswith(only):
            show(f"| text on {name} | | {n} | {score_non_speech(translator, kinds, n):.1f} % of clips | | | |")
    for language in ("zh", "en") if "growing prefixes".startswith(only) else ():
        count, share = score_prefixes(translator, language, min(n, N_PREFIX_CLIPS))
        show(f"| growing prefixes | {language}-{OTHER[language]} | {count} | {share:.1f} % prefix of final | | | |")
    translator.close()
