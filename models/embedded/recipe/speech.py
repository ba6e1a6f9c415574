"""Text in, speech out: espeak-ng 1.52 by ctypes, with the time of every token and phone; flite's voices beside it.

In: the spoken forms of a sentence's tokens and a Voice. Out: Speech: samples at the synthesiser's own rate, when each
token begins, and the phones with their times. Rooms, noise and resampling are augment's business.
One library instance serves a process and is not thread-safe; workers are processes. A voice flutters a little: the same
sentence sounds the same again only where all before it were the same, and `seed` was called before the first.
"""

from __future__ import annotations

import ctypes
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from models.embedded.recipe import flite

SYNCHRONOUS = 2
"""espeak_AUDIO_OUTPUT: samples go to the callback, within the call."""
PHONEME_EVENTS = 1
UTF8 = 1
PARAMETER_RATE, PARAMETER_PITCH, PARAMETER_RANGE = 1, 3, 4
EVENT_END_OF_LIST, EVENT_WORD, EVENT_PHONEME = 0, 1, 7
SEPARATOR = "_"
MAX_UNIT_BYTES = 8

ENGLISH_ACCENTS = ("en-us", "en", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc", "en-029")
MANDARIN = "cmn"
HELD_VARIANTS = ("f4", "m5", "steph3", "iven4")
"""Never in training, in neither language: the voices of the demo and of the held-out-voice scores."""
VARIANTS = (
    *("", "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky"),
    *("Lee", "Marco", "Mario", "Michael", "Mike", "Reed", "adam", "anika", "antonio", "aunty", "belinda", "benjamin"),
    *("boris", "caleb", "david", "ed", "edward", "edward2", "f1", "f2", "f3", "f5", "gustave", "ian", "iven", "iven2"),
    *(
        "iven3",
        "john",
        "kaukovalta",
        "klatt",
        "klatt2",
        "klatt3",
        "klatt4",
        "linda",
        "m1",
        "m2",
        "m3",
        "m4",
        "m6",
        "m7",
    ),
    *("m8", "max", "michel", "miguel", "mike2", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert"),
    *("sandro", "shelby", "steph", "steph2", "travis", "victor", "zac"),
)
"""espeak variants heard in training; robots, whispers and croaks are left out."""
WIDEST_SPREAD = {"rob": 55}
"""A wider intonation at a low pitch ends the process: espeak-ng 1.52 crashes on this variant in Mandarin."""
FLITE = "flite"
"""The accent of the second synthesiser's voices; its variants are the voices' names."""
FLITE_VARIANTS = ("slt", "rms", "kal", "kal16")
FLITE_HELD_VARIANTS = ("awb",)
"""Never in training: the second synthesiser's held-out voice. English alone."""
FLITE_SHARE = 0.15
"""English voices of training that are flite's, where it is installed."""
NORMAL_RATE, NORMAL_PITCH = 170, 50


class SpeechError(RuntimeError):
    """espeak-ng cannot be used, or refused a voice."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how."""

    language: str
    """"en" or "zh"."""
    accent: str
    variant: str = ""
    rate: int = NORMAL_RATE
    """Words a minute."""
    pitch: int = NORMAL_PITCH
    spread: int = 50
    """Range of the intonation, 0 to 100."""

    @property
    def name(self) -> str:
        """As espeak names it, e.g. "en-us+f3"."""
        return f"{self.accent}+{self.variant}" if self.variant else self.accent


@dataclass(frozen=True, slots=True)
class Phone:
    """One sound: its unit, e.g. "en:dZ" or "zh:iou214", and when it begins."""

    unit: str
    start_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """One synthesised sentence."""

    samples: NDArray[np.float32]
    """(n,) in [-1, 1] at `rate`; it ends with the last sound."""
    rate: int
    token_starts_s: tuple[float, ...]
    """When each token begins, never falling."""
    phones: tuple[Phone, ...]
    """In order; a pause within the sentence has unit ""."""

    @property
    def end_s(self) -> float:
        """When the last sound ends."""
        return len(self.samples) / self.rate


def draw_voice(rng: random.Random, language: str, variants: Sequence[str] = VARIANTS) -> Voice:
    """A random voice of a language, of the given variants: espeak's or, for English, flite's."""
    accent = MANDARIN if language == "zh" else rng.choice(ENGLISH_ACCENTS)
    variant = rng.choice(variants)
    return Voice(
        language=language,
        accent=FLITE if variant in (*FLITE_VARIANTS, *FLITE_HELD_VARIANTS) else accent,
        variant=variant,
        rate=rng.randint(125, 215),
        pitch=rng.randint(25, 80),
        spread=min(rng.randint(30, 80), WIDEST_SPREAD.get(variant, 100)),
    )


def draw_training_voice(rng: random.Random, language: str) -> Voice:
    """A random voice that training may hear, of either synthesiser."""
    is_flite = rng.random() < FLITE_SHARE and language == "en" and has_flite()
    return draw_voice(rng, language, FLITE_VARIANTS if is_flite else VARIANTS)


def seed(number: int) -> None:
    """Make what this process says from here on the same each time; to be called before its first sentence."""
    _espeak().seed(number)


def has_flite() -> bool:
    """Whether all of the second synthesiser's training voices are installed."""
    return all(flite.has(variant) for variant in FLITE_VARIANTS)


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * MAX_UNIT_BYTES))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Espeak:
    """The library, initialised once for a process."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise SpeechError("espeak-ng cannot be loaded; reinstall it: pip install espeakng-loader") from error
        data = espeakng_loader.get_data_path().encode()
        self.rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, data, PHONEME_EVENTS)
        if self.rate <= 0:
            raise SpeechError("espeak-ng found no voices; reinstall it: pip install espeakng-loader")
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._audio: list[bytes] = []
        self._events: list[tuple[int, int, int, str]] = []
        self._callback = _Callback(self._take)  # kept, or it is collected while the library still calls it
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, wave: object, n: int, events: object) -> int:
        if wave and n > 0:
            self._audio.append(ctypes.string_at(wave, 2 * n))  # type: ignore[arg-type]
        i = 0
        while events[i].type != EVENT_END_OF_LIST:  # type: ignore[index]
            event = events[i]  # type: ignore[index]
            unit = event.id.string.decode("utf-8", "replace") if event.type == EVENT_PHONEME else ""
            self._events.append((event.type, event.text_position, event.sample, unit))
            i += 1
        return 0

    def seed(self, number: int) -> None:
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(number))

    def use(self, voice: Voice) -> None:
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise SpeechError(f"espeak-ng has no voice {voice.name!r}")
        for parameter, value in (
            (PARAMETER_RATE, voice.rate),
            (PARAMETER_PITCH, voice.pitch),
            (PARAMETER_RANGE, voice.spread),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)

    def speak(self, text: str) -> tuple[NDArray[np.int16], list[tuple[int, int, int, str]]]:
        self._audio, self._events = [], []
        coded = text.encode()
        if self._library.espeak_Synth(coded, ctypes.c_size_t(len(coded) + 1), 0, 0, 0, UTF8, None, None) != 0:
            raise SpeechError(f"espeak-ng could not speak {len(text)} characters")
        return np.frombuffer(b"".join(self._audio), np.int16), self._events

    def phonemes(self, text: str) -> list[str]:
        coded = ctypes.create_string_buffer(text.encode())
        rest = ctypes.c_void_p(ctypes.addressof(coded))
        clauses = []
        while rest.value:
            clause = self._library.espeak_TextToPhonemes(ctypes.byref(rest), UTF8, ord(SEPARATOR) << 8)
            clauses.append((clause or b"").decode("utf-8", "replace"))
        return [unit for unit in re.split(r"[ _|]+", " ".join(clauses)) if unit]


@cache
def _espeak() -> _Espeak:
    return _Espeak()


def spoken_text(tokens: Sequence[str], language: str) -> tuple[str, tuple[int, ...]]:
    """The text espeak reads, and where in it each token begins (characters)."""
    glue = "" if language == "zh" else " "
    starts, text = [], ""
    for token in tokens:
        if text:
            text += glue
        starts.append(len(text))
        text += token
    return text, tuple(starts)


def synthesise(tokens: Sequence[str], voice: Voice) -> Speech:
    """Speak a sentence as one utterance.

    Args:
        tokens: spoken forms, punctuation for the intonation included.
        voice: who speaks.

    Raises:
        SpeechError: the synthesiser is missing, or refuses the voice or the text.
    """
    if voice.accent == FLITE:
        return _by_flite(tokens, voice)
    espeak = _espeak()
    espeak.use(voice)
    text, starts = spoken_text(tokens, voice.language)
    wave, events = espeak.speak(text)
    tones = espeak.phonemes(text) if voice.language == "zh" else []
    phones, ends_at = _phones(events, tones, voice.language, espeak.rate)
    samples = wave[: ends_at or len(wave)].astype(np.float32) / np.float32(32768)
    words = [(position - 1, sample / espeak.rate) for kind, position, sample, _ in events if kind == EVENT_WORD]
    return Speech(samples, espeak.rate, _token_starts(starts, words, len(text), len(samples) / espeak.rate), phones)


def _by_flite(tokens: Sequence[str], voice: Voice) -> Speech:
    if voice.language != "en" or not flite.has(voice.variant):
        raise SpeechError(f"flite has no voice {voice.variant!r} for {voice.language!r}; install libflite1")
    text, starts = spoken_text(tokens, voice.language)
    pitch = 2 ** ((voice.pitch - NORMAL_PITCH) / 100)
    said = flite.speak(text, voice.variant, stretch=NORMAL_RATE / voice.rate, pitch=pitch)
    samples = said.samples.astype(np.float32) / np.float32(32768)
    phones = tuple(Phone(f"en:{unit}" if unit else "", start_s) for unit, start_s in said.phones)
    return Speech(samples, said.rate, _token_starts(starts, said.words, len(text), len(samples) / said.rate), phones)


def _phones(
    events: Sequence[tuple[int, int, int, str]], toned: Sequence[str], language: str, rate: int
) -> tuple[tuple[Phone, ...], int]:
    """Phones with their times, and the sample at which the last sound ends.

    The events of Mandarin carry no tones; espeak's own transcription of the same text does, in the same order.
    """
    phones: list[Phone] = []
    end = position = 0
    for kind, _, sample, unit in events:
        if kind != EVENT_PHONEME or unit == "_|":
            continue
        if unit.startswith(SEPARATOR) or not unit:
            if not phones or phones[-1].unit:
                phones.append(Phone("", sample / rate))
                end = sample
            continue
        base = plain_unit(unit)
        if language == "zh":
            ahead = next((i for i in range(position, min(position + 4, len(toned))) if _same(toned[i], base)), None)
            if ahead is not None:
                base, position = toned[ahead].strip("',"), ahead + 1
        phones.append(Phone(f"{language}:{base}", sample / rate))
        end = 0
    return tuple(phones), end


def _same(toned: str, base: str) -> bool:
    return toned.strip("',").rstrip("0123456789") == base


def plain_unit(unit: str) -> str:
    """A phoneme without stress and variant number: "'I2" is "I"."""
    return unit.strip("',=%").rstrip("0123456789") or unit


def _token_starts(
    starts: Sequence[int], words: Sequence[tuple[int, float]], n_chars: int, end_s: float
) -> tuple[float, ...]:
    """Times of tokens from times of words, a token within a word by its share of the word's characters."""
    places = [place for place, _ in words] + [n_chars]
    times = [time for _, time in words] + [end_s]
    return tuple(float(t) for t in np.maximum.accumulate(np.interp(starts, places, times)))
