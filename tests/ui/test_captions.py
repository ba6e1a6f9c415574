"""What is to be read, and the session's state in words."""

from __future__ import annotations

import subprocess
import sys

import pytest
from builders import Clock, update

from live.events import (
    AudioDropped,
    DeviceChanged,
    EchoDropped,
    Event,
    LagChanged,
    LevelChanged,
    ModelLoading,
    ModelRestarted,
    RecordingChanged,
    SessionStopped,
    StateChanged,
    UtteranceFailed,
    UtteranceSkipped,
)
from ui.captions import (
    CLEAR_AFTER_S,
    LEVEL_STEPS,
    NOTICE_S,
    WRITTEN_AGAIN,
    CaptionModel,
    direction_text,
    level_step,
    reading_s,
)

PAIR = ("zh", "en")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model(clock: Clock) -> CaptionModel:
    made = CaptionModel("follow", clock=clock)
    made.apply(StateChanged("listening"))
    return made


def texts(model: CaptionModel) -> list[str]:
    return [caption.translation.text for caption in model.view().captions]


def status_after(model: CaptionModel, *events: Event) -> str:
    for event in events:
        model.apply(event)
    return model.view().status.text


def test_who_speaks_is_said_only_while_there_are_two_lanes(model: CaptionModel) -> None:
    model.apply(DeviceChanged("microphone", "USB Audio"))
    model.apply(update(1, "Good morning."))
    assert model.view().speakers == ("",)
    model.apply(DeviceChanged("system", None, "no output"))
    model.apply(update(2, "Good."))
    model.apply(update(3, "你好。", source="en", target="zh", lane="system"))
    assert model.view().speakers == ("Me", "Me", "对方")
    model.apply(DeviceChanged("system", None, is_wanted=False))
    assert model.view().speakers == ("", "", "")


def test_a_lane_that_nobody_listens_to_any_more_is_not_missed(model: CaptionModel) -> None:
    model.apply(DeviceChanged("microphone", "USB Audio"))
    model.apply(LevelChanged("system", 0, speech=1.0))
    assert status_after(model, DeviceChanged("system", None, "no output")) == "No computer sound: no output"
    assert model.view().level == 0
    assert status_after(model, DeviceChanged("system", None, is_wanted=False)) == "Listening"
    assert model.view().status.hint == "USB Audio"


def test_a_growing_caption_is_replaced_and_a_later_one_comes_after_it(model: CaptionModel) -> None:
    model.apply(update(1, tentative="Good"))
    model.apply(update(1, tentative="Good morning"))
    model.apply(update(2, tentative="How"))
    model.apply(update(1, "Good morning."))
    assert texts(model) == ["Good morning.", "How"]


def test_what_the_mode_hides_is_not_in_the_view(model: CaptionModel) -> None:
    model.apply(update(1, "Settled", " and the rest of it may change"))
    model.mode = "reading"
    assert texts(model) == ["Settled"]
    model.mode = "follow"
    assert texts(model) == ["Settled and the rest of it may change"]


def test_a_caption_that_became_empty_is_not_shown(model: CaptionModel) -> None:
    model.apply(update(1, tentative="Uh"))
    model.apply(update(1))
    assert texts(model) == []


def test_captions_stay_through_a_pause_and_go_after_silence(model: CaptionModel, clock: Clock) -> None:
    model.apply(update(1, "Good morning."))
    reading = reading_s("Good morning.")
    clock.now += CLEAR_AFTER_S + reading - 0.01
    assert texts(model) == ["Good morning."]
    assert model.view().until_s == pytest.approx(clock.now + 0.01)
    clock.now += 0.02
    assert texts(model) == []
    assert model.view().until_s is None


def test_captions_that_went_do_not_come_back_with_the_next(model: CaptionModel, clock: Clock) -> None:
    model.apply(update(1, "Good morning."))
    clock.now += 2 * CLEAR_AFTER_S
    assert texts(model) == []
    model.apply(update(2, "Where were we?"))
    assert texts(model) == ["Where were we?"]


def test_speech_that_has_no_text_yet_keeps_the_last_caption(model: CaptionModel, clock: Clock) -> None:
    model.apply(update(1, "Good morning."))
    clock.now += CLEAR_AFTER_S
    model.apply(LevelChanged("microphone", -20, speech=0.9))
    clock.now += CLEAR_AFTER_S
    assert texts(model) == ["Good morning."]


def test_noise_does_not_keep_the_last_caption(model: CaptionModel, clock: Clock) -> None:
    model.apply(update(1, "Good morning."))
    clock.now += CLEAR_AFTER_S
    model.apply(LevelChanged("microphone", -20, speech=0.2))
    clock.now += CLEAR_AFTER_S
    assert texts(model) == []


def test_captions_stay_for_ever_where_nothing_clears_them(clock: Clock) -> None:
    model = CaptionModel(clear_after_s=None, clock=clock)
    model.apply(update(1, "Good morning."))
    clock.now += 3600
    assert texts(model) == ["Good morning."]


@pytest.mark.parametrize(
    "event", [UtteranceFailed("microphone", 1, 0, 1, "no answer"), UtteranceSkipped("microphone", 1, 0, 1)]
)
def test_an_utterance_that_was_given_up_takes_its_tentative_text_with_it(model: CaptionModel, event: Event) -> None:
    model.apply(update(1, tentative="Good mor"))
    model.apply(event)
    assert texts(model) == []
    assert model.view().status.kind == "warning"


@pytest.mark.parametrize(
    "event", [UtteranceFailed("microphone", 1, 0, 1, "no answer"), UtteranceSkipped("microphone", 1, 0, 1)]
)
def test_what_was_settled_of_an_utterance_that_was_given_up_stays(model: CaptionModel, event: Event) -> None:
    model.apply(update(1, "Good morning."))
    model.apply(event)
    assert texts(model) == ["Good morning."]
    assert model.view().status.kind == "warning"


def test_memory_is_flat_over_a_long_session(model: CaptionModel) -> None:
    for number in range(1000):
        model.apply(update(number, f"Sentence {number}."))
    assert texts(model)[-1] == "Sentence 999."
    assert len(texts(model)) < 10


def test_loading_is_told_in_percent_and_ends_with_the_model_in_place(clock: Clock) -> None:
    model = CaptionModel(clock=clock)
    assert status_after(model) == "Loading the model"
    assert status_after(model, StateChanged("loading", "embedded"), ModelLoading("embedded", 0.4)) == (
        "Loading the model 40 %"
    )
    assert model.view().status.share == 0.4
    assert status_after(model, ModelLoading("embedded", 1.0), StateChanged("listening")) == "Listening"


def test_a_model_that_loads_again_is_told_while_it_does(model: CaptionModel) -> None:
    assert "restarted" in status_after(model, ModelRestarted("it crashed"))
    assert status_after(model, ModelLoading("embedded", 0.5)) == "Loading the model 50 %"
    assert "restarted" in status_after(model, ModelLoading("embedded", 1.0))


def test_each_state_has_its_word(model: CaptionModel) -> None:
    assert status_after(model, StateChanged("paused")) == "Paused"
    assert status_after(model, StateChanged("stopping")) == "Finishing"
    assert status_after(model, SessionStopped(None)) == "Stopped"


def test_an_error_is_the_last_word(model: CaptionModel) -> None:
    assert status_after(model, StateChanged("stopped", "gone"), SessionStopped("The microphone is gone.")) == (
        "The microphone is gone."
    )
    assert model.view().status.kind == "error"


def test_a_missing_microphone_is_named_until_one_is_back(model: CaptionModel, clock: Clock) -> None:
    assert status_after(model, DeviceChanged("microphone", None, "it was unplugged")) == (
        "No microphone: it was unplugged"
    )
    clock.now += 100
    assert model.view().status.kind == "warning"
    assert status_after(model, DeviceChanged("microphone", "USB Audio")) == "Listening"
    assert model.view().status.hint == "USB Audio"


def test_every_missing_device_is_named(model: CaptionModel) -> None:
    model.apply(DeviceChanged("microphone", None, "it was unplugged."))
    said = status_after(model, DeviceChanged("system", None, "the sound server ended"))
    assert said == "No microphone: it was unplugged. No computer sound: the sound server ended"


def test_a_passing_event_is_told_for_a_while(model: CaptionModel, clock: Clock) -> None:
    said = status_after(model, AudioDropped("microphone", 0, 6400, "the queue was full"))
    assert said == "Sound dropped, 0.4 s: the queue was full"
    assert model.view().until_s == clock.now + NOTICE_S
    clock.now += NOTICE_S
    assert model.view().status.text == "Listening"


def test_a_state_said_again_is_an_answer_to_a_command(model: CaptionModel, clock: Clock) -> None:
    assert status_after(model, StateChanged("listening", "Translating zh to en.")) == "Translating zh to en."
    clock.now += NOTICE_S
    assert model.view().status.text == "Listening"
    assert status_after(model, StateChanged("listening")) == "Listening"


def test_a_delay_is_told_from_three_seconds_on(model: CaptionModel) -> None:
    assert status_after(model, LagChanged(0.4, 0.5, 0.0)) == "Listening"
    assert status_after(model, LagChanged(3.6, 0.5, 0.0)) == "Listening, 4 s behind"
    assert model.view().status.hint == "4 s waiting, 0 s translating"
    status_after(model, LagChanged(1.0, 3.6, 5.0))
    assert model.view().status.hint == "1 s waiting, 4 s translating, settled 5 s after it is heard"
    assert status_after(model, LagChanged(0.1, 0.2, 0.0)) == "Listening"


def hear(model: CaptionModel, clock: Clock, seconds: int, level: LevelChanged) -> str:
    for _ in range(15 * seconds):
        clock.now += 1 / 15
        model.apply(level)
    return model.view().status.text


def test_a_microphone_that_gives_only_silence_is_named_until_speech_comes(model: CaptionModel, clock: Clock) -> None:
    model.apply(DeviceChanged("microphone", "USB Audio"))

    assert hear(model, clock, 10, LevelChanged("microphone", -100, 0.0)) == "Listening"
    assert hear(model, clock, 4, LevelChanged("microphone", -100, 0.0)).startswith("The microphone is silent")
    assert model.view().status.kind == "warning"
    assert hear(model, clock, 1, LevelChanged("microphone", -20, 0.9)) == "Listening"


def test_an_echo_is_said_once_and_then_counted_in_the_hint(model: CaptionModel, clock: Clock) -> None:
    model.apply(DeviceChanged("microphone", "USB Audio"))
    said = status_after(model, EchoDropped("microphone", 0, 16_000))
    assert said == "The microphone repeats the computer's sound, which is left out"
    assert model.view().status.kind == "listening"
    clock.now += NOTICE_S

    assert status_after(model, EchoDropped("microphone", 32_000, 48_000)) == "Listening"
    assert model.view().status.hint == "USB Audio, echoes left out: 2"


def test_the_meter_shows_the_loudest_lane_and_rests_while_paused(model: CaptionModel) -> None:
    model.apply(LevelChanged("system", -40, speech=0.9))
    model.apply(LevelChanged("microphone", 0, speech=0.1))
    view = model.view()
    assert (view.level, view.is_speech) == (LEVEL_STEPS, True)
    model.apply(StateChanged("paused"))
    assert (model.view().level, model.view().is_speech) == (0, False)


def test_the_meter_s_scale_begins_at_its_quietest_level() -> None:
    assert level_step(-100) == level_step(-60) == 0
    assert level_step(-30) == LEVEL_STEPS // 2
    assert level_step(3) == LEVEL_STEPS


def test_views_of_the_same_things_are_equal(model: CaptionModel) -> None:
    model.apply(update(1, "Good morning."))
    before = model.view()
    model.apply(LevelChanged("microphone", -59.9, speech=0.0))
    model.apply(update(1, "Good morning."))
    assert model.view() == before


def test_hanzi_take_longer_to_read_than_letters() -> None:
    assert reading_s("short") == reading_s("短") == 1.5
    assert reading_s("我" * 18) == pytest.approx(2.0)
    assert reading_s("a" * 40) == pytest.approx(2.0)


def test_directions_are_named_in_their_own_languages() -> None:
    assert direction_text(None, None, PAIR) == "中文 ⇄ English"
    assert direction_text("zh", "en", PAIR) == "中文 → English"
    assert direction_text("en", None, PAIR) == "English → 中文"
    assert direction_text(None, "zh", PAIR) == "English → 中文"
    assert direction_text(None, "zh_tr", PAIR) == "English → 繁體中文"
    assert direction_text(None, "ja", PAIR) == "中文, English → 日本語"
    assert direction_text("de", None, PAIR) == "Deutsch → 中文"
    assert direction_text(None, None, ("ko", "it")) == "한국어 ⇄ Italiano"


def test_the_command_s_parts_load_without_qt() -> None:
    check = "import sys, ui.captions, ui.terminal, ui.roll, ui.screen, ui.state; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False, timeout=60).returncode == 0


def test_a_session_that_cannot_be_written_is_the_status_until_it_can(model: CaptionModel, clock: Clock) -> None:
    model.apply(StateChanged("listening"))
    model.apply(RecordingChanged(has_sound=True, problem="The disk is full."))
    clock.now += 60
    assert model.view().status.text == "The disk is full."
    assert model.view().is_recorded
    model.apply(RecordingChanged(has_sound=True))
    assert model.view().status.text == WRITTEN_AGAIN
    clock.now += 60
    assert model.view().status.text == "Listening"
