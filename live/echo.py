"""Echo: without headphones the microphone repeats what the computer plays, and nobody said that.

In: the chunks of both lanes, on clocks that agree to 100 ms, and the microphone's utterances. Out: whether an utterance
holds anything of its own. Pure: no threads of its own, no clock but the samples. What is done with an echo, and taking
it out of the sound, are not its business.

The two lanes are compared as power in bands, a hundred times a second. An echo is the system's sound later, quieter, in
other colours and smeared by a room: so the lag and the room's decay are those at which the logarithms of both correlate
best, and the gain of a band is a low quantile of their ratio, which speech of one's own cannot raise. What the system's
sound so changed does not explain is the speaker's own; a little of it is enough for the utterance to be kept.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from live.audio import AudioChunk, Lane, Utterance
from live.segmenter import MAX_LENGTH
from models.base import SAMPLE_RATE, Samples

HOP = SAMPLE_RATE // 100
_HOP_S = HOP / SAMPLE_RATE
WINDOW = 512
N_BANDS = 16
LOWEST_HZ, HIGHEST_HZ = 150.0, 7000.0
EARLIEST_LAG = -10
"""Hops. The lanes' clocks may differ so much that the echo seems to come first."""
LATEST_LAG = 50
"""Hops from playing to hearing: buffers of the output and the input, and the way between."""
BEHIND = 200
"""Hops by which the system's lane may be behind on a busy computer; more, and its device is away."""
DECAYS_S = (0.0, 0.25, 0.6)
"""Reverberation times that are tried."""
SILENT_POWER = 1e-7
"""Mean square of a system sound too quiet for an echo (-70 dBFS)."""
ALIKE = 0.5
"""Correlation from which the lanes may be the same sound."""
GAIN_QUANTILE = 0.25
EXPLAINED = 6.0
"""Times the power expected of an echo that is still taken for one: rooms and loudspeakers are not smooth."""
OWN_S = 0.1
"""Speech of one's own from which an utterance is kept..."""
OWN_SHARE = 0.06
"""...or this share of a long one's sound, which has more chances of looking like it."""
UNSURE = 2
"""Hops by which the lag may be wrong, or a device's clock waver."""
NEARLY = 0.05
"""How much less alike another decay may make the lanes, to be tried too: the one that explains most is believed."""
AUDIBLE = 4.0
"""Times the power of the microphone's noise from which sound counts."""
_SMOOTHED = 5
"""Hops over which power is compared."""
_KEPT = (MAX_LENGTH + 2 * SAMPLE_RATE) // HOP
_FAINT = 1e-10
_STEADY = 0.01

Powers: TypeAlias = NDArray[np.float32]
"""(T, N_BANDS) power in each band, one row a hop."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How an utterance of the microphone compares with what the system played."""

    correlation: float
    """Of the logarithms at the best lag, -1 to 1; 0 where nothing was played."""
    lag: int
    """Samples by which the microphone is later there."""
    own_s: float
    """Seconds of sound that the system does not explain."""
    active_s: float
    """Seconds of sound above the microphone's noise."""

    @property
    def is_echo(self) -> bool:
        """Whether all of it is the system's sound."""
        return self.correlation >= ALIKE and self.own_s < max(OWN_S, OWN_SHARE * self.active_s)


class EchoFilter:
    """Tells the microphone's utterances from repeats of the system's sound. Methods may be called from any thread.

    Until it is known that somebody speaks, an utterance counts as an echo; what was known once stays, so that a growing
    utterance that was shown is never taken back.
    """

    def __init__(self) -> None:
        self._lanes: dict[Lane, _Spectrogram] = {}
        self._own = 0  # the newest utterance that is known to hold speech of its own
        self._lock = threading.Lock()

    def hear(self, chunk: AudioChunk) -> None:
        """Take the next sound of a lane."""
        if chunk.lane == "file":
            return
        with self._lock:
            self._lanes.setdefault(chunk.lane, _Spectrogram()).push(chunk)

    def keeps(self, utterance: Utterance) -> bool:
        """Whether an utterance, growing or final, is more than an echo. All that was heard of it has been `hear`d."""
        if utterance.lane != "microphone" or utterance.id == self._own:
            return True
        if self.likeness(utterance).is_echo:
            return False
        self._own = utterance.id
        return True

    def likeness(self, utterance: Utterance) -> Likeness:
        """Compare an utterance of the microphone with what the system played by then."""
        begin, end = utterance.start // HOP, (utterance.end - WINDOW) // HOP + 1
        with self._lock:
            microphone, system = self._lanes.get("microphone"), self._lanes.get("system")
            if microphone is None or system is None:
                return Likeness(0.0, 0, 0.0, 0.0)
            begin, last = max(begin, microphone.begin), min(end, microphone.end)
            end = min(last, system.end)
            heard = microphone.rows(begin, end)
            alone = microphone.rows(min(max(begin, system.end + BEHIND), last), last)
            noise = _noise(microphone.rows(microphone.begin, microphone.end))
            played = system.rows(begin - LATEST_LAG, end - EARLIEST_LAG)
        if end - begin < _SMOOTHED or played.sum(axis=1).max() < SILENT_POWER:
            return Likeness(0.0, 0, 0.0, 0.0)
        found = _compare(heard, played, noise)
        # Long after all that the system has played: no echo of that.
        alone_s = np.count_nonzero(_is_active(alone, noise)) * _HOP_S
        return replace(found, own_s=found.own_s + alone_s, active_s=found.active_s + alone_s)


def _compare(heard: Powers, played: Powers, noise: Powers) -> Likeness:
    """Find the lag and the decay that make the lanes most alike, and what they leave unexplained.

    Args:
        heard: (T, N_BANDS) of the microphone.
        played: (LATEST_LAG + T - EARLIEST_LAG, N_BANDS) of the system, from LATEST_LAG hops earlier on.
        noise: (N_BANDS,) of the microphone when nothing is to be heard.
    """
    level = np.log(heard + noise)
    smeared = [_smear(played, decay_s) for decay_s in DECAYS_S]
    found = [_correlations(level, np.log(each + _floor(each))) for each in smeared]
    best = max(each.max() for each in found)
    is_active = _is_active(heard, noise)
    guesses = []
    for each, correlations in zip(smeared, found, strict=True):
        at = int(np.argmax(correlations))
        if correlations[at] >= best - NEARLY:
            n_own = np.count_nonzero(_is_unexplained(heard, each[at : at + len(heard)], noise) & is_active)
            guesses.append((n_own, (LATEST_LAG - at) * HOP))
    n_own, lag = min(guesses)
    return Likeness(float(best), lag, n_own * _HOP_S, np.count_nonzero(is_active) * _HOP_S)


def _is_active(heard: Powers, noise: Powers) -> NDArray[np.bool_]:
    """(T,) whether there is sound above the noise."""
    return np.asarray(heard.sum(axis=1) > AUDIBLE * noise.sum())


def _is_unexplained(heard: Powers, source: Powers, noise: Powers) -> NDArray[np.bool_]:
    """(T,) whether most of what is heard is more than an echo of `source`, (T, N_BANDS), and noise."""
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(source, ((UNSURE, UNSURE), (0, 0))), 2 * UNSURE + 1, axis=0
    )
    expected = EXPLAINED * (_gains(heard, source, noise) * around.max(axis=-1) + noise)
    excess = _smooth(np.maximum(heard - expected, 0).sum(axis=1))
    return np.asarray(excess > 0.5 * _smooth(heard.sum(axis=1)))


def _correlations(heard: Powers, played: Powers) -> NDArray[np.float64]:
    """Correlation of (T, B) with each stretch of T rows of a longer one: of all bands together, each about its mean."""
    n, n_shifts = len(heard), len(played) - len(heard) + 1
    heard = heard - heard.mean(axis=0)
    size = 1 << (len(played) + n - 1).bit_length()
    spectrum = np.fft.rfft(played, size, axis=0) * np.fft.rfft(heard, size, axis=0).conj()
    products = np.fft.irfft(spectrum.sum(axis=1), size)[:n_shifts]
    sums = np.cumsum(np.pad(played.astype(np.float64), ((1, 0), (0, 0))), axis=0)
    squares = np.cumsum(np.pad(np.square(played, dtype=np.float64), ((1, 0), (0, 0))), axis=0)
    means = (sums[n:] - sums[:-n]) / n
    energy = (squares[n:] - squares[:-n] - n * means**2).sum(axis=1)
    # Where hardly anything changes nothing is alike, whatever rounding says.
    least = _STEADY * heard.size
    return np.asarray(products / np.sqrt(np.maximum(energy, least) * max(float(np.square(heard).sum()), least)))


def _smear(played: Powers, decay_s: float) -> Powers:
    """What a room of that reverberation time makes of powers."""
    if not decay_s:
        return played
    kernel = 10 ** (-6 * np.arange(0, decay_s, _HOP_S) / decay_s)
    size = 1 << (len(played) + len(kernel) - 1).bit_length()
    spectrum = np.fft.rfft(played, size, axis=0) * np.fft.rfft(kernel / kernel.sum(), size)[:, np.newaxis]
    return np.maximum(np.fft.irfft(spectrum, size, axis=0)[: len(played)], 0).astype(np.float32)


def _gains(heard: Powers, source: Powers, noise: Powers) -> Powers:
    """(N_BANDS,) power of the echo for each band's power played: of those moments at which both are to be heard."""
    is_usable = (source > 10 * _floor(source)) & (heard > 2 * noise)
    ratios = np.where(is_usable, heard / np.maximum(source, _FAINT), np.nan)
    counts = is_usable.sum(axis=0)
    gains = np.zeros(N_BANDS, np.float32)
    for band in np.flatnonzero(counts >= _SMOOTHED):
        gains[band] = np.nanquantile(ratios[:, band], GAIN_QUANTILE)
    known = gains[counts >= _SMOOTHED]
    gains[counts < _SMOOTHED] = known.min() if len(known) else 0.0
    return gains


def _floor(powers: Powers) -> Powers:
    """(N_BANDS,) power below which a band counts as silent beside its loud moments."""
    return np.asarray(1e-3 * np.quantile(powers, 0.95, axis=0) + _FAINT, np.float32)


def _noise(powers: Powers) -> Powers:
    """(N_BANDS,) power of a lane's quiet moments."""
    n = len(powers) // (2 * _SMOOTHED)
    if n == 0:
        return np.full(N_BANDS, _FAINT, np.float32)
    means = powers[: n * 2 * _SMOOTHED].reshape(n, 2 * _SMOOTHED, N_BANDS).mean(axis=1)
    return np.asarray(1.5 * np.quantile(means, 0.1, axis=0) + _FAINT, np.float32)


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.convolve(values, np.full(_SMOOTHED, 1 / _SMOOTHED, np.float32), "same")


class _Spectrogram:
    """A lane's powers of the last half minute, by the hop of its clock."""

    def __init__(self) -> None:
        self.begin = self.end = 0
        """Hops that are known."""
        self._rows = np.zeros((_KEPT, N_BANDS), np.float32)
        self._pending: Samples = np.zeros(0, np.float32)

    def push(self, chunk: AudioChunk) -> None:
        """Take the next sound; what is missing before it was silence, unless it is more than is kept."""
        missing = chunk.start - (self.end * HOP + len(self._pending))
        if missing > _KEPT * HOP or missing < 0 or self.end == 0:
            self.begin = self.end = chunk.start // HOP
            self._pending, missing = self._pending[:0], chunk.start % HOP
        self._pending = np.concatenate([self._pending, np.zeros(missing, np.float32), chunk.samples])
        if len(self._pending) < WINDOW:
            return
        powers = _powers(self._pending)
        self._rows[np.arange(self.end, self.end + len(powers)) % _KEPT] = powers
        self.end += len(powers)
        self.begin = max(self.begin, self.end - _KEPT)
        self._pending = self._pending[len(powers) * HOP :].copy()

    def rows(self, begin: int, end: int) -> Powers:
        """(end - begin, N_BANDS) powers; silence where nothing is known."""
        hops = np.arange(begin, end)
        is_known = (hops >= self.begin) & (hops < self.end)
        return np.where(is_known[:, np.newaxis], self._rows[hops % _KEPT], np.float32(0))


def _powers(samples: Samples) -> Powers:
    """Mean square in each band of each whole window."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectrum = np.square(np.abs(np.fft.rfft(windows * _HANN)))  # (T, WINDOW // 2 + 1)
    return np.asarray(spectrum @ _BANDS, np.float32)


def _bands() -> NDArray[np.float64]:
    """(WINDOW // 2 + 1, N_BANDS): sums the power of a band's bins, to the mean square of its sound; evenly in mel."""
    hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    mel = 2595 * np.log10(1 + hertz / 700)
    low, high = (2595 * np.log10(1 + edge / 700) for edge in (LOWEST_HZ, HIGHEST_HZ))
    band = np.floor((mel - low) / (high - low) * N_BANDS)
    is_in = band[:, np.newaxis] == np.arange(N_BANDS)
    return np.asarray(is_in * 2 / (WINDOW * np.square(_HANN).sum()))


_HANN = np.hanning(WINDOW)
_BANDS = _bands()
