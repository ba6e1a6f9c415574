"""`tongchuan evaluate uncertainty`: from a folder of clips to a threshold that is kept."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest
from audio_clips import to_pcm, tone, write_audio

from live.errors import LiveError
from live.evaluation.uncertainty import LEAST_RIGHT, TABLE
from models.base import TranslatorFactory
from models.fake import FakeTranslator, pieces_of
from ui.commands import evaluate_uncertainty, options

LOUD, FAINT = tone(0.8, hz=2000), tone(0.8, hz=2000, level=0.02)


def stored(folder: str) -> FakeTranslator:
    """A model whose files lie in a folder."""
    return FakeTranslator()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    write_audio(folder / "loud.wav", to_pcm(LOUD))
    write_audio(folder / "faint.wav", to_pcm(FAINT))
    transcript, translation = ("".join(piece.text for piece in pieces_of(LOUD, language)) for language in ("en", "zh"))
    rows = f"loud.wav\ten\t{transcript}\t{translation}\n" * LEAST_RIGHT + "faint.wav\n"
    (folder / TABLE).write_text("path\tlanguage\ttranscript\ttranslation\n" + rows, "utf-8")
    return folder


def run(data: Path) -> int:
    parser = argparse.ArgumentParser()
    evaluate_uncertainty.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["uncertainty", "--data", str(data), "--model", "fake"])
    return int(arguments.run(arguments))


def test_the_threshold_is_said_and_kept_beside_the_checkpoint(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    resolve = options.resolve_model

    def resolved(settings):
        factory = TranslatorFactory(f"{__name__}:stored", {"folder": str(checkpoint)})
        return replace(resolve(settings), factory=factory)

    monkeypatch.setattr(evaluate_uncertainty, "resolve_model", resolved)
    assert run(data) == 0
    told = capsys.readouterr().out.splitlines()
    below = json.loads((checkpoint / "uncertainty.json").read_text("utf-8"))["uncertain_below"]
    assert told[0].startswith(f"Captions of fake are uncertain below {below:.4f}")
    assert told[1:4] == [
        f"    0.0 % of {LEAST_RIGHT} right captions",
        "    0.0 % of 0 wrong captions",
        "  100.0 % of 1 captions of clips without texts",
    ]
    assert told[-1] == f"Kept for it in {checkpoint / 'uncertainty.json'}"


def test_a_model_without_files_is_told_that_nothing_can_be_kept(data):
    with pytest.raises(LiveError, match="no files on this computer"):
        run(data)


def test_data_is_looked_at_before_a_model_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate_uncertainty, "resolve_model", lambda _: pytest.fail("a model was asked for"))
    with pytest.raises(LiveError, match=TABLE):
        run(tmp_path)
