"""What a playback was worth: quality, delay, steadiness and work, from what its reader saw.

In: Played talks of one policy in one direction, and a display mode. Out: a Row. Times come from the playback alone.
The field's own scorers say the same of quality, delay and erasure; scorers.py calls them where they are installed.

Sources: LongYAAL: arXiv 2509.17349; StreamLAAL: arXiv 2406.14177; normalized erasure: Arivazhagan et al. 2020.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from live.audio import seconds
from live.evaluation.score import bleu
from live.evaluation.simul.logs import Emission, changes, emissions, is_char_level, units_of
from live.evaluation.simul.player import Played
from live.evaluation.simul.record import Playback, Sentence, Shown, Talk
from live.evaluation.simul.resegment import sentence_of_each
from live.evaluation.simul.table import Row
from live.events import Caption, Mode
from live.policy import shown
from live.policy.modes import hide_last
from live.segmenter import ENDPOINT_MS
from models.base import SAMPLE_RATE

LEAST_SPEECH = SAMPLE_RATE // 10
"""Samples that an utterance and a sentence have in common, at least, to be about the same speech."""
PAUSE = SAMPLE_RATE * ENDPOINT_MS // 1000
"""Samples without speech that end an utterance; one that ends or begins without was cut."""

_Time = Callable[[Emission], float]


@dataclass(frozen=True, slots=True)
class Segment:
    """One sentence of a talk, and what was shown for it."""

    talk: Talk
    sentence: Sentence
    emissions: tuple[Emission, ...]

    @property
    def start_s(self) -> float:
        """When it began to be said."""
        return seconds(self.sentence.start)

    @property
    def length_s(self) -> float:
        """How long it was said."""
        return seconds(self.sentence.end - self.sentence.start)

    @property
    def text(self) -> str:
        """What was shown for it."""
        return ("" if is_char_level(self.talk.target) else " ").join(emission.unit for emission in self.emissions)

    @property
    def n_units(self) -> int:
        """Units shown, or of the reference, whichever are more."""
        return max(len(self.emissions), len(units_of(self.sentence.reference, self.talk.target)))


def measure(played: Sequence[Played], mode: Mode, vad_final_bleu: float | None = None) -> Row:
    """A line of the table.

    Args:
        played: talks of one direction, by one policy under one cost model.
        mode: how captions are displayed.
        vad_final_bleu: to be compared with.
    """
    playbacks = [each.playback for each in played]
    talk = playbacks[0].talk
    segments = [segment for playback in playbacks for segment in segments_of(playback, mode)]
    texts, references = zip(*((segment.text, segment.sentence.reference) for segment in segments), strict=True)
    quality, _ = bleu(texts, references, talk.target)
    first = [delay for playback in playbacks for delay in first_text_s(playback, mode)]
    final = [delay for playback in playbacks for delay in final_s(playback, mode)]
    sound_s = sum(seconds(len(playback.talk.samples)) for playback in playbacks)
    costs = [call.cost for each in played for call in each.calls]
    return Row(
        policy=playbacks[0].policy,
        mode=mode,
        cost_model=played[0].cost_model,
        source=talk.source,
        target=talk.target,
        bleu=quality,
        chrf=_chrf(texts, references),
        bleu_share=quality / vad_final_bleu if vad_final_bleu else None,
        streamlaal_s=streamlaal_s(segments),
        longyaal_s=longyaal_s(segments, _heard_s),
        longyaal_ca_s=longyaal_s(segments, _emitted_s),
        erasure=erasure(playbacks, mode),
        first_text_p50_s=_percentile(first, 50),
        first_text_p95_s=_percentile(first, 95),
        final_p50_s=_percentile(final, 50),
        final_p95_s=_percentile(final, 95),
        realtime_factor=sum(each.busy_s for each in played) / sound_s,
        prefilled_per_s=sum(cost.prefilled_tokens for cost in costs) / sound_s,
        decoded_per_s=sum(cost.decoded_tokens for cost in costs) / sound_s,
    )


def segments_of(playback: Playback, mode: Mode) -> list[Segment]:
    """What was shown last of a talk, cut along its sentences."""
    talk = playback.talk
    last = emissions(changes(playback, mode))
    references = [units_of(sentence.reference, talk.target) for sentence in talk.sentences]
    units = [emission.unit for emission in last]
    owners = sentence_of_each(references, units, is_char_level=is_char_level(talk.target))
    shared: list[list[Emission]] = [[] for _ in talk.sentences]
    for emission, owner in zip(last, owners, strict=True):
        if owner is not None:
            shared[owner].append(emission)
    return [Segment(talk, sentence, tuple(given)) for sentence, given in zip(talk.sentences, shared, strict=True)]


def _heard_s(emission: Emission) -> float:
    return seconds(emission.heard)


def _emitted_s(emission: Emission) -> float:
    return emission.emitted_s


def longyaal_s(segments: Iterable[Segment], time: _Time) -> float:
    """Mean lag behind a translation that keeps pace, over all units that came before their talk's last sentence ended.

    So OmniSTEval has it, which takes the end of the last reference for the end of the recording.
    """
    lags = []
    for segment in segments:
        ends_s = seconds(segment.talk.sentences[-1].end)
        times = [time(emission) for emission in segment.emissions]
        n = next((i for i, at in enumerate(times) if at >= ends_s), len(times))
        if n:
            pace_s = segment.length_s / segment.n_units
            lags.append(fmean(at - segment.start_s - i * pace_s for i, at in enumerate(times[:n])))
    return fmean(lags) if lags else float("nan")


def streamlaal_s(segments: Iterable[Segment]) -> float:
    """Mean lag behind such a translation up to the first unit that came after its sentence had ended."""
    lags = []
    for segment in segments:
        delays = [_heard_s(emission) - segment.start_s for emission in segment.emissions]
        if delays:
            late = next((i for i, delay in enumerate(delays) if delay >= segment.length_s), len(delays) - 1)
            pace_s = segment.length_s / segment.n_units
            lags.append(fmean(delay - i * pace_s for i, delay in enumerate(delays[: late + 1])))
    return fmean(lags) if lags else float("nan")


def erasure(playbacks: Iterable[Playback], mode: Mode) -> float:
    """Displayed characters taken back for each one that stands at the end.

    Characters in every language: a word that a comma is put behind was not taken back, though it is another unit.
    """
    return _erasure(playbacks, lambda caption: shown(caption, mode).translation.text)


def erasure_hiding(playbacks: Iterable[Playback], n: int) -> float:
    """The same of a display that hides the last units of what is tentative, so many."""
    return _erasure(playbacks, lambda caption: hide_last(caption.translation, n).text)


def _erasure(playbacks: Iterable[Playback], displayed: Callable[[Caption], str]) -> float:
    taken_back = standing = 0
    for playback in playbacks:
        texts: dict[int, str] = {}
        for update in playback.shown:
            before = texts.get(update.caption.id, "")
            now = texts[update.caption.id] = displayed(update.caption)
            taken_back += len(before) - _n_same(before, now)
        standing += sum(map(len, texts.values()))
    return taken_back / standing if standing else float(taken_back > 0)


def _n_same(before: str, now: str) -> int:
    """Characters that two texts have in common, from the first on."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before, now, strict=False)))


def first_text_s(playback: Playback, mode: Mode) -> list[float]:
    """Seconds from where speech began, after a pause, to its first displayed text; one for each time it did."""
    delays = []
    for captions in _by_caption(playback, mode):
        first = next((update for update in captions if update.caption.translation.text.strip()), None)
        spoken = _spoken(playback.talk, captions[-1].caption)
        if first is not None and spoken is not None and spoken.begins:
            delays.append(first.emitted_s - seconds(spoken.start))
    return delays


def final_s(playback: Playback, mode: Mode) -> list[float]:
    """Seconds from where speech ended, before a pause, to the last change of its text; one for each time it did."""
    delays = []
    for captions in _by_caption(playback, mode):
        last = captions[-1].caption
        spoken = _spoken(playback.talk, last)
        text = last.translation.text
        if spoken is None or not spoken.ends or not last.is_final or not text.strip():
            continue
        n_same = sum(1 for _ in itertools.takewhile(text.__eq__, reversed(_texts(captions))))
        delays.append(captions[-n_same].emitted_s - seconds(spoken.end))
    return delays


def _by_caption(playback: Playback, mode: Mode) -> list[list[Shown]]:
    captions: dict[int, list[Shown]] = {}
    for update in playback.shown:
        displayed = Shown(shown(update.caption, mode), update.heard, update.emitted_s, update.cost)
        captions.setdefault(update.caption.id, []).append(displayed)
    return list(captions.values())


def _texts(captions: Sequence[Shown]) -> list[str]:
    return [update.caption.translation.text for update in captions]


@dataclass(frozen=True, slots=True)
class _Spoken:
    """The speech that a caption is about."""

    start: int
    end: int
    begins: bool
    """There was a pause before it; otherwise it was cut from what came before."""
    ends: bool
    """There is a pause behind it; otherwise it was cut."""


def _spoken(talk: Talk, caption: Caption) -> _Spoken | None:
    """The speech that a caption is about; None where it is about none."""
    about = [
        n
        for n, said in enumerate(talk.sentences)
        if min(caption.end, said.end) - max(caption.start, said.start) >= LEAST_SPEECH
    ]
    if not about:
        return None
    first, last = about[0], about[-1]
    ends = [said.end for said in talk.sentences]
    starts = [said.start for said in talk.sentences]
    start, end = max(caption.start, starts[first]), min(caption.end, ends[last])
    return _Spoken(
        start,
        end,
        begins=start - starts[first] < LEAST_SPEECH and (first == 0 or start - ends[first - 1] >= PAUSE),
        ends=ends[last] - end < LEAST_SPEECH and (last + 1 == len(starts) or starts[last + 1] - end >= PAUSE),
    )


def _chrf(texts: Sequence[str], references: Sequence[str]) -> float:
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().corpus_score(list(texts), [list(references)]).score)


def _percentile(values: Sequence[float], share: int) -> float | None:
    return float(np.percentile(values, share)) if values else None
