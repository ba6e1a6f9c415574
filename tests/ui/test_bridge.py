"""Events cross from any thread to the GUI thread."""

from __future__ import annotations

import threading

from pytestqt.qtbot import QtBot

from live.events import Event, LevelChanged, MarkAdded
from ui.bridge import Bridge


def test_events_of_other_threads_arrive_in_order_on_this_one(qtbot: QtBot) -> None:
    here, arrived, threads = threading.current_thread(), [], set()

    def deliver(event: Event) -> None:
        arrived.append(event)
        threads.add(threading.current_thread())

    bridge = Bridge(deliver)
    senders = [
        threading.Thread(target=lambda n=n: [bridge.post(MarkAdded(n * 1000 + k)) for k in range(300)])
        for n in range(4)
    ]
    for sender in senders:  # 1,200 emits: PySide6 6.12.0 aborts the process after half of them on Python 3.11
        sender.start()
    qtbot.waitUntil(lambda: len(arrived) == 1200)
    for sender in senders:
        sender.join()
    assert threads == {here}
    for n in range(4):
        assert [event.at for event in arrived if event.at // 1000 == n] == [n * 1000 + k for k in range(300)]


def test_of_the_levels_that_wait_a_lane_s_newest_alone_arrives(qtbot: QtBot) -> None:
    arrived: list[Event] = []
    bridge = Bridge(arrived.append)
    for number in range(10):
        bridge.post(LevelChanged("microphone", -number, 0.0))
        bridge.post(LevelChanged("system", -10 - number, 0.0))
    bridge.post(MarkAdded(1))
    qtbot.waitUntil(lambda: MarkAdded(1) in arrived)
    assert arrived == [LevelChanged("microphone", -9, 0.0), LevelChanged("system", -19, 0.0), MarkAdded(1)]
    bridge.post(LevelChanged("microphone", -60, 0.0))
    qtbot.waitUntil(lambda: len(arrived) == 4)
    assert arrived[-1] == LevelChanged("microphone", -60, 0.0)
