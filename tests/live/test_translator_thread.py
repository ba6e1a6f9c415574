import queue

import numpy as np
from fakes import WAIT_S, FakeWorker, Recorder

from live.audio import Utterance
from live.events import CaptionUpdated
from live.policy import Direction, Retranslation
from live.queues import JobQueue
from live.translator_thread import TranslatorEnded, TranslatorReady, TranslatorThread
from models.base import TranslatorFactory

FAKE = TranslatorFactory("models.fake:FakeTranslator")


class LateQueue(JobQueue):
    """Gives nothing at first; before it is asked again, a final comes in and the queue is closed."""

    def __init__(self, late: Utterance) -> None:
        super().__init__()
        self._late: Utterance | None = late

    def get(self, timeout_s):
        if self._late is None:
            return super().get(timeout_s)
        late, self._late = self._late, None
        self.put_final(late)
        self.close()
        return None


def test_a_final_that_comes_as_the_queue_is_closed_is_still_translated():
    rng = np.random.default_rng(1)
    speech = rng.normal(0, 0.1, 16_000).astype(np.float32)
    events, reports = Recorder(), queue.SimpleQueue()
    jobs = LateQueue(Utterance(1, "microphone", speech, 0, is_final=True))

    def report(news):
        if isinstance(news, TranslatorReady):
            thread.policy = Retranslation(news.capabilities, Direction.between(None, None, ("zh", "en")))
        reports.put(news)

    thread = TranslatorThread(FAKE, FakeWorker, jobs, events, report, model_name="fake")
    thread.start()
    assert isinstance(reports.get(timeout=WAIT_S), TranslatorReady)
    assert reports.get(timeout=WAIT_S) == TranslatorEnded(None)
    assert [event.caption.id for event in events.events if isinstance(event, CaptionUpdated)] == [1]
