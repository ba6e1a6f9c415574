"""What was being said when a session's program died, found in its recorded sound.

In: a transcript. Out: the utterances that no line of its journal tells of. Writing them down and translating them is
the business of live/recording/resume.py.
"""

from __future__ import annotations

import itertools

from live.audio import AudioChunk
from live.events import UtteranceClosed
from live.recording.journal import Transcript
from live.recording.sound import RecordedSound
from live.segmenter import MAX_LENGTH, Segmenter
from live.vad import make_detector
from models.base import SAMPLE_RATE

REACH = MAX_LENGTH + 2 * SAMPLE_RATE
"""Samples before the end of the sound in which to look: what had ended before is in the journal."""


def unclosed(transcript: Transcript, detector: str) -> list[UtteranceClosed]:
    """Utterances that had begun when the session was cut off; none where it came to its end.

    Args:
        transcript: The session; no program writes it.
        detector: What tells speech from other sound, by its name.

    Raises:
        SettingsError: there is no such detector.
    """
    if transcript.has_ended:
        return []
    sound = RecordedSound(transcript)
    ids = itertools.count(transcript.highest_id + 1)
    found = []
    for lane in dict.fromkeys(begun.lane for begun in transcript.sounds):
        end = sound.end(lane)
        start = max(transcript.heard.get(lane, 0), end - REACH)
        if start >= end:
            continue
        segmenter = Segmenter(lane, make_detector(detector), ids=ids, partial_ms=None)
        utterances = segmenter.push(AudioChunk(lane, sound.read(lane, start, end)[0], start)) + segmenter.flush()
        found += [UtteranceClosed(lane, each.start, each.start + len(each.samples), each.id) for each in utterances]
    return found
