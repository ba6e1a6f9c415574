"""What a command keeps of its session, and what it says of those that were cut off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from live.audio import AudioChunk
from live.events import UtteranceClosed
from live.recording.folder import sessions_root
from live.recording.keeper import SessionKeeper
from live.recording.session_info import SessionInfo
from live.settings import Settings
from models.catalogue import find
from ui.commands.keeping import keeper, offer_rest
from ui.commands.outputs import open_outputs
from ui.commands.parser import parse


@pytest.mark.parametrize("command", ["run", "listen", "demo"])
def test_what_is_kept_is_a_word_on_the_command_line(command):
    arguments = parse([command])
    assert (arguments.record_audio, arguments.keep_sessions) == (None, None)
    arguments = parse([command, "--record", "--no-keep"])
    assert (arguments.record_audio, arguments.keep_sessions) == (True, False)


def test_a_setting_lets_subtitles_grow_in_a_folder_unless_a_word_names_a_file(tmp_path):
    settings = Settings(subtitles_folder=str(tmp_path / "subtitles"))
    (output,) = open_outputs(parse(["listen"]), settings)
    assert (output.file.path.parent, output.file.path.suffix) == (tmp_path / "subtitles", ".srt")
    output.close()
    (output,) = open_outputs(parse(["listen", "--vtt", str(tmp_path / "talk.vtt")]), settings)
    assert output.file.path == tmp_path / "talk.vtt"
    output.close()
    assert open_outputs(parse(["listen"]), Settings()) == []


def test_captions_are_kept_by_default_and_sound_only_when_asked_for(own_home):
    entry = find("fake", "cpu")
    (default,) = keeper(Settings(), entry, "microphone")
    assert default._sound is None
    (recording,) = keeper(Settings(record_audio=True, record_format="flac"), entry, "microphone")
    assert recording._sound == "flac"
    assert keeper(Settings(keep_sessions=False), entry, "microphone") == []
    assert len(keeper(Settings(keep_sessions=False, record_audio=True), entry, "microphone")) == 1
    assert not sessions_root().exists()


def test_a_session_that_was_cut_off_is_offered_in_one_line_at_the_next_start(own_home, capsys):
    offer_rest(Settings())
    assert capsys.readouterr().err == ""
    for minute, n_waiting in ((1, 1), (2, 3)):
        cut = SessionKeeper(sessions_root(), SessionInfo(datetime(2026, 11, 22, 10, minute).astimezone()), "opus")
        cut.hear(AudioChunk("microphone", np.full(32_000, 0.1, np.float32), 0), 0)
        for number in range(n_waiting):
            cut.take(UtteranceClosed("microphone", 0, 16_000, number), 0)
        cut.close()
    offer_rest(replace(Settings(), model="fake"))
    remedy = "`tongchuan sessions resume` does it."
    assert capsys.readouterr().err.splitlines() == [
        f"tongchuan: The session 2026-11-22 10.02.00 has 3 utterances not translated: {remedy}",
        f"tongchuan: The session 2026-11-22 10.01.00 has 1 utterance not translated: {remedy}",
    ]
