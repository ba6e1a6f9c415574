"""English text in, speech out: flite by ctypes, the second synthesiser of training, where its libraries are installed.

In: a text of spoken forms, the name of a voice, how slow and how high. Out: Sounded: samples, word times, phones by the
names that espeak-ng gives them. Which voice speaks is speech's business. One process speaks one text at a time.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

PAUSE = "pau"

_UNITS_TEXT = """aa=A: ae=a ah=V ao=O: aw=aU ax=@ ay=aI eh=E er=3: ey=eI ih=I iy=i: ow=oU oy=OI uh=U uw=u:
ch=tS dh=D hh=h jh=dZ ng=N sh=S th=T y=j zh=Z"""
ESPEAK_UNITS = dict(pair.split("=") for pair in _UNITS_TEXT.split())
"""flite's names of sounds where espeak-ng, in American English, has others."""

_WORD_BEGINS = b"daughter.R:SylStructure.daughter.daughter.R:Segment.p.end"
_Item = ctypes.c_void_p


@dataclass(frozen=True, slots=True)
class Sounded:
    """One spoken text; it begins with its first sound and ends with its last."""

    samples: NDArray[np.int16]
    rate: int
    words: tuple[tuple[int, float], ...]
    """(place of its first character, start in seconds) of each word that is parted by spaces."""
    phones: tuple[tuple[str, float], ...]
    """(unit, start in seconds); a pause has the unit ""."""


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("rate", ctypes.c_int),
        ("n_samples", ctypes.c_int),
        ("n_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _Voice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


@cache
def _library() -> ctypes.CDLL | None:
    """The library with the types of what is used of it, or None where it is not installed."""
    try:
        library = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return None
    for name, result, arguments in (
        ("flite_synth_text", ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_void_p)),
        ("utt_wave", ctypes.POINTER(_Wave), (ctypes.c_void_p,)),
        ("utt_relation", ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_char_p)),
        ("relation_head", _Item, (ctypes.c_void_p,)),
        ("item_next", _Item, (_Item,)),
        ("item_daughter", _Item, (_Item,)),
        ("item_feat_float", ctypes.c_float, (_Item, ctypes.c_char_p)),
        ("item_feat_string", ctypes.c_char_p, (_Item, ctypes.c_char_p)),
        ("ffeature_float", ctypes.c_float, (_Item, ctypes.c_char_p)),
        ("feat_set_float", None, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float)),
        ("delete_utterance", None, (ctypes.c_void_p,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.flite_init()
    return library


@cache
def _voice(name: str) -> ctypes.c_void_p | None:
    """A voice, or None where it is not installed."""
    if _library() is None:
        return None
    try:
        register = getattr(ctypes.CDLL(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}")
    except (OSError, AttributeError):
        return None
    register.restype, register.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
    return ctypes.c_void_p(register(None))


def has(name: str) -> bool:
    """Whether a voice is installed."""
    return _voice(name) is not None


def speak(text: str, name: str, stretch: float, pitch: float) -> Sounded:
    """Speak a text as one utterance.

    Args:
        text: words parted by single spaces, no digits in them.
        name: an installed voice.
        stretch: factor on all durations.
        pitch: factor on the fundamental frequency; the diphone voices, kal and kal16, keep their own.
    """
    library, voice = _library(), _voice(name)
    assert library is not None, "flite is installed"
    assert voice is not None, "the voice is installed"
    features = ctypes.cast(voice, ctypes.POINTER(_Voice)).contents.features
    library.feat_set_float(features, b"duration_stretch", stretch)
    library.feat_set_float(features, b"f0_shift", pitch)
    with _silent_errors():
        utterance = library.flite_synth_text(text.encode(), voice)
    try:
        return _read(library, utterance, text)
    finally:
        library.delete_utterance(utterance)


@contextmanager
def _silent_errors() -> Iterator[None]:
    """A voice that lacks a pair of sounds says so on standard error, each time, and leaves a gap."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _items(library: ctypes.CDLL, utterance: int, relation: bytes) -> Iterator[int]:
    item = library.relation_head(library.utt_relation(utterance, relation))
    while item:
        yield item
        item = library.item_next(item)


def _read(library: ctypes.CDLL, utterance: int, text: str) -> Sounded:
    """Take the sound and its times out of an utterance, the pauses around it left away."""
    wave = library.utt_wave(utterance).contents
    samples = np.ctypeslib.as_array(wave.samples, (wave.n_samples,)).copy()
    phones, start_s = [], 0.0
    for item in _items(library, utterance, b"Segment"):
        name = library.item_feat_string(item, b"name").decode()
        phones.append(("" if name == PAUSE else ESPEAK_UNITS.get(name, name), start_s))
        start_s = float(library.item_feat_float(item, b"end"))
    sounding = [i for i, (unit, _) in enumerate(phones) if unit]
    begin_s = phones[sounding[0]][1]
    end_s = phones[sounding[-1] + 1][1]  # a pause comes after
    inner = tuple((unit, at - begin_s) for unit, at in phones[sounding[0] : sounding[-1] + 1])
    begins = [
        float(library.ffeature_float(token, _WORD_BEGINS)) - begin_s
        for token in _items(library, utterance, b"Token")
        if library.item_daughter(token)
    ]
    places = [match.start() for match in re.finditer(r"\S+", text)]
    if len(begins) != len(places):  # flite parts words elsewhere: the sentence's length is all that is known
        places, begins = [0], [0.0]
    words = tuple(zip(places, begins, strict=True))
    return Sounded(samples[round(begin_s * wave.rate) : round(end_s * wave.rate)], wave.rate, words, inner)
