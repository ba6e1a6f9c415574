import pytest

from live.events import DeviceChanged, LevelChanged, MarkAdded, StateChanged, UtteranceClosed
from live.hearing import ONE_SIDED_S, PATIENCE_S, SAID_S, Hearing, advice, likely_cause

A_SECOND = 15


def words_of(problem):
    return None if problem is None else f"{problem.text}. {problem.advice}"


class Meeting:
    """A session's hearing, fed level by level on a clock of its own."""

    def __init__(self, *lanes):
        self.hearing = Hearing()
        self.now_s = 0.0
        for lane in lanes or ("microphone",):
            self.take(DeviceChanged(lane, "USB" if lane == "microphone" else "Speakers"))

    def take(self, event):
        self.hearing.take(event, self.now_s)

    def hear(self, seconds, *levels):
        """Of each lane (lane, dBFS, speech, noise dBFS) for a while; returns what was said meanwhile."""
        said = []
        for _ in range(round(seconds * A_SECOND)):
            self.now_s += 1 / A_SECOND
            for level in levels:
                self.take(LevelChanged(*level))
            said.append(self.problem)
        return said

    def speak(self, seconds, lane="microphone", noise_dbfs=-62.0):
        return self.hear(seconds, (lane, -25.0, 0.95, noise_dbfs))

    @property
    def problem(self):
        return words_of(self.hearing.problem(self.now_s))


ROOM = ("microphone", -60.5, 0.02, -62.0)
MUTED = ("microphone", -100.0, 0.0, -100.0)
FAINT = ("microphone", -75.0, 0.01, -80.0)
MUSIC = ("microphone", -30.0, 0.1, -38.0)
NOTHING_PLAYS = ("system", -100.0, 0.0, -100.0)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (MUTED, "The microphone is silent. 'USB' gives only silence: is it muted, or not allowed"),
        (FAINT, "The microphone is very quiet. 'USB' hears hardly anything (-75 dBFS at most): raise its level"),
        (MUSIC, "The microphone gives sound, but no speech. 'USB' hears -30 dBFS: is it noise or music"),
    ],
)
def test_who_was_never_heard_is_told_the_likely_cause_after_twelve_seconds_and_not_before(level, words):
    meeting = Meeting()

    assert set(meeting.hear(PATIENCE_S - 0.1, level)) == {None}
    assert words in meeting.hear(0.5, level)[-1]


def test_computer_sound_that_is_silent_names_another_output():
    meeting = Meeting("system")
    meeting.hear(PATIENCE_S + 1, NOTHING_PLAYS)

    assert meeting.problem.startswith(
        "The computer is silent. Nothing plays on 'Speakers': is the meeting on another output"
    )


def test_a_room_in_which_nobody_has_spoken_yet_is_no_problem():
    assert set(Meeting().hear(120, ("microphone", -48.0, 0.02, -52.0))) == {None}


@pytest.mark.parametrize("pause", [ROOM, ("microphone", -63.0, 0.3, -63.0), ("microphone", -72.0, 0.0, -74.0)])
def test_a_speaker_who_pauses_for_minutes_is_told_nothing(pause):
    meeting = Meeting()
    meeting.hear(2, ROOM)
    meeting.speak(4)

    assert set(meeting.hear(300, pause)) == {None}


def test_a_microphone_that_is_silent_between_words_by_itself_is_told_nothing_in_a_pause():
    """One with a noise gate, that is."""
    meeting = Meeting()
    meeting.hear(3, MUTED)
    meeting.speak(4, noise_dbfs=-100.0)

    assert set(meeting.hear(300, MUTED)) == {None}


def test_a_microphone_muted_after_speech_is_named_with_when_speech_was_heard_last():
    meeting = Meeting()
    meeting.speak(5)

    assert set(meeting.hear(PATIENCE_S, MUTED)[:-1]) == {None}
    assert meeting.hear(3, MUTED)[-1] == (
        "The microphone has fallen silent. Last speech 15 s ago. "
        "'USB' gives less than its own noise (-100 dBFS at most): is it muted or switched off?"
    )


@pytest.mark.parametrize("level", [MUTED, FAINT, MUSIC])
def test_the_sentence_goes_when_speech_comes(level):
    meeting = Meeting()
    meeting.hear(20, level)
    assert meeting.problem is not None
    meeting.speak(0.3)

    assert meeting.problem is None


@pytest.mark.parametrize(("noise_dbfs", "later"), [(-40.0, -58.0), (-35.0, -50.0)])
def test_a_fan_that_goes_off_or_speech_without_a_breath_makes_no_room_a_muted_microphone(noise_dbfs, later):
    meeting = Meeting()
    meeting.speak(15, noise_dbfs=noise_dbfs)

    assert set(meeting.hear(300, ("microphone", later, 0.02, later - 1))) == {None}


def test_an_utterance_is_speech_too_and_says_nothing_of_the_noise():
    meeting = Meeting()
    meeting.hear(5, ROOM)
    meeting.take(UtteranceClosed("microphone", 0, 16_000, 1))

    assert set(meeting.hear(60, FAINT)) == {None}


def test_a_click_is_no_speech():
    meeting = Meeting()
    for _ in range(7):
        meeting.hear(2 / A_SECOND, ("microphone", -35.0, 0.9, -80.0))
        meeting.hear(2, FAINT)
    meeting.hear(PATIENCE_S, FAINT)

    assert "hardly anything" in meeting.problem


def test_who_only_listens_is_told_nothing_of_a_quiet_room():
    meeting = Meeting("microphone", "system")
    meeting.speak(3, lane="system")

    assert set(meeting.hear(120, FAINT, ("system", -30.0, 0.9, -60.0))) == {None}


def test_a_muted_microphone_is_named_though_others_are_heard():
    meeting = Meeting("microphone", "system")
    meeting.hear(PATIENCE_S + 1, MUTED, ("system", -30.0, 0.9, -60.0))

    assert "'USB' gives only silence" in meeting.problem


def test_who_only_listens_with_the_microphone_muted_is_told_so_for_a_while():
    meeting = Meeting("microphone", "system")
    meeting.hear(PATIENCE_S + 1, MUTED, ("system", -30.0, 0.9, -60.0))
    assert meeting.problem is not None

    assert set(meeting.hear(300, MUTED, ("system", -30.0, 0.9, -60.0))[round(SAID_S * A_SECOND) :]) == {None}


def test_the_other_side_never_heard_is_said_late_and_for_a_while():
    meeting = Meeting("microphone", "system")
    spoken = ("microphone", -25.0, 0.9, -60.0)

    assert set(meeting.hear(ONE_SIDED_S - 1, spoken, NOTHING_PLAYS)) == {None}
    assert "Nothing plays on 'Speakers'" in meeting.hear(2, spoken, NOTHING_PLAYS)[-1]
    assert meeting.hear(SAID_S, spoken, NOTHING_PLAYS)[-1] is None


def test_a_computer_that_falls_silent_after_speech_is_no_problem():
    meeting = Meeting("system")
    meeting.speak(5, lane="system")

    assert set(meeting.hear(300, NOTHING_PLAYS)) == {None}


def test_another_device_is_judged_anew():
    meeting = Meeting()
    meeting.speak(5)
    meeting.take(DeviceChanged("microphone", "HDMI"))

    assert set(meeting.hear(PATIENCE_S - 0.5, MUTED)) == {None}
    assert "'HDMI' gives only silence" in meeting.hear(1, MUTED)[-1]


def test_of_a_device_that_is_away_nothing_is_said_here():
    meeting = Meeting()
    meeting.take(DeviceChanged("microphone", None, "it was unplugged"))

    assert set(meeting.hear(60, MUTED)) == {None}


def test_a_device_that_comes_back_is_known_to_have_been_spoken_into():
    meeting = Meeting()
    meeting.speak(5)
    meeting.take(DeviceChanged("microphone", None, "it was unplugged"))
    meeting.now_s += 10
    meeting.take(DeviceChanged("microphone", "USB"))

    assert set(meeting.hear(120, ("microphone", -70.0, 0.02, -71.0))) == {None}
    assert "Last speech 150 s ago" in meeting.hear(20, MUTED)[-1]


def test_a_pause_of_the_session_does_not_count():
    meeting = Meeting()
    meeting.hear(PATIENCE_S - 1, MUTED)
    meeting.take(StateChanged("paused"))
    meeting.now_s += 600
    meeting.take(StateChanged("listening"))

    assert set(meeting.hear(PATIENCE_S - 0.5, MUTED)) == {None}
    assert meeting.hear(1, MUTED)[-1] is not None


def test_without_any_level_there_is_nothing_to_say():
    meeting = Meeting()
    meeting.now_s += 60
    meeting.take(MarkAdded(1))

    assert meeting.problem is None


def test_every_cause_of_either_lane_has_its_sentence():
    for loudest_dbfs in (-100.0, -70.0, -20.0):
        cause = likely_cause(loudest_dbfs)
        for lane in ("microphone", "system"):
            assert "'Studio'" in advice(lane, cause, "Studio", loudest_dbfs)
    assert likely_cause(-50.0) is None
