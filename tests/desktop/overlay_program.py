"""The overlay as a program of its own, with a session that plays the scenes named on standard input.

In: a line for each scene, or QUIT. Out: a line "said NAME" once its events are on their way.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

from live.events import (
    AudioDropped,
    Caption,
    CaptionUpdated,
    Command,
    DeviceChanged,
    Event,
    LagChanged,
    LevelChanged,
    Line,
    ModelLoading,
    Pause,
    Resume,
    SessionStopped,
    StateChanged,
    Stop,
    Word,
)
from live.settings import Settings
from ui.app import run_overlay

NEWS = "That is great news. When does the new office in Shanghai open, and how long"
EN = "The quarterly revenue grew by 15%, mostly because of very strong sales in Asia and in South America."
ZH = "我们公司今年第三季度的收入增长了15%，主要是因为亚洲和南美洲市场的销售非常强劲，所以我们要继续投资3.5亿元。"


def caption(
    number: int,
    direction: str,
    translation: str,
    transcript: str,
    *,
    tentative: str = "",
    is_uncertain: bool = False,
) -> CaptionUpdated:
    source, target = direction.split(">")
    is_final = not tentative
    return CaptionUpdated(
        Caption(
            id=number,
            lane="microphone",
            source=source,
            target=target,
            translation=Line((Word(translation),) if translation else (), tentative),
            transcript=Line((Word(transcript),), "") if is_final else Line((), transcript),
            start=number * 16000,
            end=number * 16000 + 16000,
            logprob=-0.1,
            is_uncertain=is_uncertain,
            is_final=is_final,
        )
    )


def level(dbfs: float, speech: float) -> LevelChanged:
    return LevelChanged("microphone", dbfs, speech)


LISTENING = (StateChanged("listening"), DeviceChanged("microphone", "Built-in microphone"))

SCENES: dict[str, tuple[Event, ...]] = {
    "loading": (ModelLoading("embedded", 0.4),),
    "listening": (*LISTENING, level(-38, 0.1)),
    "one": (*LISTENING, level(-22, 0.9), caption(1, "zh>en", "Good morning, everyone.", "大家早上好。")),
    "two": (
        *LISTENING,
        level(-20, 0.9),
        caption(1, "zh>en", "Our revenue grew by 15% this quarter.", "我们这个季度的收入增长了15%。"),
        caption(2, "en>zh", "", NEWS, tentative="这真是个好消息。上海的新办公室什么时候开业呢，还要"),
    ),
    "meeting": (
        *LISTENING,
        level(-18, 0.9),
        caption(
            3,
            "zh>en",
            "We will open the new office in Shanghai on the third of May.",
            "我们将在五月三日开设上海的新办公室。",
        ),
    ),
    "growing": (
        *LISTENING,
        level(-18, 0.9),
        caption(
            3,
            "zh>en",
            "We will open the new office",
            "我们将在五月三日开设上海的新办公室",
            tentative=" in Shanghai on the third",
        ),
    ),
    "long-en": (*LISTENING, level(-20, 0.9), caption(4, "zh>en", "", ZH, tentative=EN)),
    "long-zh": (*LISTENING, level(-20, 0.9), caption(5, "en>zh", "", EN, tentative=ZH)),
    "final-zh": (*LISTENING, level(-20, 0.9), caption(5, "en>zh", ZH[:34] + "。", EN)),
    "uncertain": (
        *LISTENING,
        level(-34, 0.8),
        caption(
            6, "zh>en", "The train to Tianjin leaves at half past seven.", "去天津的火车七点半开。", is_uncertain=True
        ),
    ),
    "behind": (*LISTENING, LagChanged(4.2, 1.1, 0.0), caption(1, "zh>en", "Good morning, everyone.", "大家早上好。")),
    "paused": (StateChanged("paused"),),
    "unplugged": (*LISTENING, DeviceChanged("microphone", None, "it was unplugged; connect one to go on")),
    "dropped": (*LISTENING, AudioDropped("microphone", 0, 6400, "the computer is too slow for this model")),
    "ended": (SessionStopped(None),),
    "error": (
        SessionStopped(
            "The microphone 'USB Audio' could not be opened because another program is using it: "
            "close that program, or choose another source with `tongchuan listen --input NAME`."
        ),
    ),
}


class Scenes:
    """A session that says what standard input names."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._thread.start()
        print("started", flush=True)

    def send(self, command: Command) -> None:
        print(f"command {command}", flush=True)
        match command:
            case Pause():
                self._emit(StateChanged("paused"))
            case Resume():
                self._emit(StateChanged("listening"))
            case Stop():
                self._emit(SessionStopped(None))

    def join(self, timeout_s: float) -> bool:
        return True

    def _read(self) -> None:
        for line in sys.stdin:
            for event in SCENES[line.strip()]:
                self._emit(event)
            print(f"said {line.strip()}", flush=True)


if __name__ == "__main__":
    wanted = Settings(text_size=int(sys.argv[1]), opacity=float(sys.argv[2]))
    kept = Path(sys.argv[3])
    sys.exit(run_overlay(Scenes, wanted, remember=lambda key, value: kept.open("a").write(f"{key}={value}\n") and None))
