"""Requests answered the fast way and the slow obvious way: all texts, ids, stops and probabilities are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from sequential import Sequential

import models.embedded
from live.demo import load_script, meeting_sound
from models.base import SAMPLE_RATE, UNKNOWN, Branch, Hypothesis, Outcome, Piece, Request, Samples
from models.qwen_audio.stepping import STEPS_AT_ONCE
from models.qwen_audio.translator import QwenAudioTranslator

EMBEDDED = Path(models.embedded.__file__).parent
OTHER = {"en": "zh", "zh": "en"}
BOTH = (Branch("translate"), Branch("transcribe"))
GROWS = (0.3, 0.7, 1.0)
"""Shares of an utterance: its first words, most of it, all."""


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def turns() -> list[tuple[str, Samples]]:
    """What is said in the demonstration: a language and its sound each."""
    with meeting_sound() as path, av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        blocks = [block for decoded in container.decode(audio=0) for block in resampler.resample(decoded)]
    meeting = np.concatenate([block.to_ndarray()[0] for block in blocks])
    cut = [slice(round(t.start_s * SAMPLE_RATE), round(t.end_s * SAMPLE_RATE)) for t in load_script().turns]
    return [(turn.language, meeting[span]) for turn, span in zip(load_script().turns, cut, strict=True)]


@pytest.fixture(scope="module")
def embedded() -> QwenAudioTranslator:
    return loaded(EMBEDDED)


def loaded(folder: Path) -> QwenAudioTranslator:
    translator = QwenAudioTranslator(str(folder), device="cpu")
    translator.load(lambda _: None)
    return translator


def asked(samples: Samples, source: str | None, *branches: Branch) -> Request:
    return Request(1, 0, samples, source, OTHER, branches, priors={UNKNOWN: 0.0})


def slowly(translator: QwenAudioTranslator, request: Request) -> Hypothesis:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.qwen_audio.translator.Decoder", Sequential)
        return translator.translate(request, never)


def assert_same_both_ways(translator: QwenAudioTranslator, request: Request) -> Hypothesis:
    fast, slow = translator.translate(request, never), slowly(translator, request)
    assert (fast.source, fast.target) == (slow.source, slow.target)
    np.testing.assert_allclose(list(fast.scores.values()), list(slow.scores.values()), atol=1e-4)
    for found, expected in zip(fast.outcomes, slow.outcomes, strict=True):
        assert summary(found) == summary(expected)
        logprobs = [[piece.logprob for piece in outcome.pieces] for outcome in (found, expected)]
        np.testing.assert_allclose(*logprobs, atol=1e-4)
    return fast


def summary(outcome: Outcome) -> tuple[list[tuple[int, ...]], list[str], int, str]:
    pieces = outcome.pieces
    return [piece.ids for piece in pieces], [piece.text for piece in pieces], outcome.n_agreed, outcome.stop


def drafts_of(before: tuple[Piece, ...], now: tuple[Piece, ...], other: tuple[Piece, ...]) -> list[tuple[Piece, ...]]:
    """What may have been said last time: the same, less, partly other words, other words, another language."""
    half = len(now) // 2
    return [before, now, now[:half], now[:half] + now[:1] + now[half:], now[::-1], other]


def test_every_turn_of_the_demonstration_grows_the_same_both_ways(embedded, turns):
    for language, samples in turns:
        drafts: list[tuple[Piece, ...]] = [(), ()]
        for share in GROWS:
            heard = samples[: round(share * len(samples))]
            branches = [Branch("translate", draft=drafts[0]), Branch("transcribe", draft=drafts[1])]
            fast = assert_same_both_ways(embedded, asked(heard, language if drafts[0] else None, *branches))
            drafts = [outcome.pieces for outcome in fast.outcomes]


@pytest.mark.parametrize("turn", range(6))
def test_whatever_was_drafted_or_committed_the_text_is_the_same_both_ways(embedded, turns, turn):
    language, samples = turns[turn]
    before, now = (
        [o.pieces for o in embedded.translate(asked(heard, language, *BOTH), never).outcomes]
        for heard in (samples[: len(samples) // 2], samples)
    )
    for first, second in zip(
        drafts_of(before[0], now[0], now[1]), drafts_of(before[1], now[1], now[0])[::-1], strict=True
    ):
        branches = [Branch("translate", draft=first), Branch("transcribe", draft=second, max_new=2)]
        assert_same_both_ways(embedded, asked(samples, language, *branches))
        assert_same_both_ways(embedded, asked(samples, None, replace(branches[1], max_new=0), branches[0]))
    for n in (1, len(now[0]) // 2, len(now[0])):
        forced = Branch("translate", committed=now[0][:n], draft=now[0][n : n + 2])
        assert_same_both_ways(embedded, asked(samples, language, forced, Branch("transcribe", committed=now[1][:2])))


def test_a_text_in_the_wrong_language_is_written_again_the_same_both_ways(embedded, turns, monkeypatch):
    monkeypatch.setattr("models.qwen_audio.translator.found_instead", lambda *_: "en")
    language, samples = next(turn for turn in turns if turn[0] == "en")
    assert_same_both_ways(embedded, asked(samples, language, *BOTH))


def test_steps_taken_at_once_write_the_same_texts(turns):
    translator = loaded(EMBEDDED)
    assert translator._ready is not None
    translator._ready.runner.prepare_steps(is_fused=False)
    for language, samples in turns[:5]:
        fast = assert_same_both_ways(translator, asked(samples, language, *BOTH))
        assert fast.cost.decode_steps % STEPS_AT_ONCE == 0
        drafted = [Branch("translate", draft=fast.outcomes[0].pieces[:3]), Branch("transcribe", max_new=2)]
        assert_same_both_ways(translator, asked(samples, None, *drafted))


def test_long_speech_takes_the_same_way(embedded, turns):
    samples = np.concatenate([samples for language, samples in turns if language == "zh"])[: 24 * SAMPLE_RATE]
    assert_same_both_ways(embedded, asked(samples, "zh", *BOTH))


@pytest.mark.parametrize("kind", ["v1", "small"])
def test_random_checkpoints_write_the_same_nonsense_both_ways(request, turns, kind):
    folder = request.getfixturevalue("v1_with_vocabulary" if kind == "v1" else "small_folder")
    translator = loaded(folder)
    now = [o.pieces for o in translator.translate(asked(turns[0][1], "en", *BOTH), never).outcomes]
    for first, second in zip(drafts_of(now[0][:3], now[0], now[1]), drafts_of((), now[1], now[0]), strict=True):
        branches = (Branch("translate", draft=first, max_new=9), Branch("transcribe", draft=second))
        assert_same_both_ways(translator, asked(turns[0][1], "en", *branches))
    if kind == "v1":
        assert_same_both_ways(translator, asked(turns[1][1], "en", Branch("transcribe", word_times=True), *BOTH))


def test_a_random_qwen2_audio_writes_the_same_nonsense_both_ways(qwen2_audio, turns):
    translator = loaded(qwen2_audio.folder)
    samples = turns[0][1][: 2 * SAMPLE_RATE]
    now = [o.pieces for o in translator.translate(asked(samples, "en", *BOTH), never).outcomes]
    for draft in (now[0][:3], now[0], now[1]):
        assert_same_both_ways(translator, asked(samples, "en", Branch("translate", draft=draft), Branch("transcribe")))
    assert_same_both_ways(translator, asked(samples, None, *BOTH))
