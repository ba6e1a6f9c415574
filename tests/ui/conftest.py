"""Commands run in the test's own process."""

import logging
import signal

import pytest


@pytest.fixture
def own_process(monkeypatch):
    """Each command sets up logging and Ctrl-C for a process of its own."""
    interrupt = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("ui.cli.leave", lambda status: status)
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for handler in root.handlers[:]:
        if handler not in before:
            root.removeHandler(handler)
            handler.close()
    logging.captureWarnings(False)
    signal.signal(signal.SIGINT, interrupt)
    monkeypatch.setattr(logging, "raiseExceptions", True)
