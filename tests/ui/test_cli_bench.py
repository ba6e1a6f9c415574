"""`tongchuan bench library`: what it measures is there, and nothing of it stays. How fast it is, nobody asserts."""

import tempfile

import pytest

from ui.cli import main
from ui.commands.bench import QUESTIONS

pytestmark = pytest.mark.usefixtures("own_process")


def test_every_question_is_answered_and_the_folder_is_gone(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert main(["bench", "library", "--sessions", "3", "--captions", "40"]) == 0
    out = capsys.readouterr().out
    assert "index made anew" in out
    assert "list  " in out
    for question in QUESTIONS[-2:]:
        (line,) = (line for line in out.splitlines() if line.startswith(f"search {question}"))
        assert line.endswith("1 shown")
        assert "median" in line
    assert list(tmp_path.iterdir()) == []
