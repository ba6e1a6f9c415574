import json
import os
import stat
import subprocess
import sys
import wave
from pathlib import Path

import pysubs2
import pytest
from example_talk import PAUSE_S, TURN_S, write_talk

from live.recording.folder import sessions_root, unfinished
from live.recording.journal import read
from live.recording.sound import RecordedSound
from ui.commands import demo as command
from ui.commands.parser import parse
from ui.exits import INTERRUPTED

ROOT = Path(__file__).parents[2]
N_TURNS = 3

PROGRAM = """
import sys
from pathlib import Path
import live.demo, ui.screen
live.demo._FILES = Path(sys.argv.pop(1))
if sys.argv[1] == "on-screen":
    sys.argv.pop(1)
    ui.screen.has_screen = lambda: True
if sys.argv[1] == "left":
    sys.argv.pop(1)
    import ui.overlay
    from live.events import CaptionUpdated
    apply = ui.overlay.Overlay.apply
    def leave(self, event):
        apply(self, event)
        if isinstance(event, CaptionUpdated) and event.caption.is_final:
            self.quit_asked.emit()
    ui.overlay.Overlay.apply = leave
from ui.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.fixture
def meeting(tmp_path):
    """A meeting of three short turns in the place of the bundled one."""
    turns = [
        {
            "speaker": "low" if number % 2 == 0 else "high",
            "language": "zh" if number % 2 == 0 else "en",
            "start_s": number * (TURN_S + PAUSE_S),
            "end_s": number * (TURN_S + PAUSE_S) + TURN_S,
            "sentences": [
                {
                    "start_s": number * (TURN_S + PAUSE_S),
                    "end_s": number * (TURN_S + PAUSE_S) + TURN_S,
                    "text": "",
                    "translation": "clear clear",
                }
            ],
        }
        for number in range(N_TURNS)
    ]
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "script.json").write_text(json.dumps({"seed": 1, "turns": turns}))
    write_talk(tmp_path / "talk.wav", N_TURNS).rename(folder / "meeting.flac")  # read by what is in it, not by its name
    return folder


def demo(meeting, *words):
    program = meeting.parent / "program.py"
    program.write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, program, meeting, *words, "--model", "fake"],
        cwd=meeting.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(autouse=True)
def light_detector(own_home):
    """What takes tones for speech."""
    (own_home / "settings.toml").write_text('detector = "webrtc"\nfrom_language = "zh"\nto_language = "en"\n')


@pytest.mark.parametrize("words", [("demo", "--terminal"), ("demo",), ("on-screen", "demo")])
def test_the_demo_plays_the_meeting_writes_its_files_and_ends_with_figures(meeting, words):
    done = demo(meeting, *words, "--pace", "fast")
    assert done.returncode == 0, done.stderr
    folder = meeting.parent / "tongchuan-demo"
    assert len(pysubs2.load(str(folder / "demo.srt"))) == N_TURNS
    with wave.open(str(folder / "demo.wav")) as read:
        assert (read.getframerate(), read.getnchannels()) == (16_000, 1)
        assert read.getnframes() == N_TURNS * round((TURN_S + PAUSE_S) * 16_000)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    for label in ("Utterances translated", "Real-time factor", "BLEU 中文 → English", "BLEU English → 中文"):
        assert label in done.stdout
    assert "2 sentences (13a)" in done.stdout
    assert "1 sentence (zh)" in done.stdout
    assert f"Written: {Path('tongchuan-demo', 'demo.srt')}, {Path('tongchuan-demo', 'demo.wav')}" in done.stdout
    assert ("zh→en" in done.stdout) == (words[0] != "on-screen")


@pytest.mark.parametrize("words", [("demo", "--terminal"), ("on-screen", "demo")])
def test_the_demo_is_kept_as_a_session_with_its_sound_when_asked_for(meeting, own_home, words):
    done = demo(meeting, *words, "--pace", "fast", "--record")
    assert done.returncode == 0, done.stderr
    (folder,) = sessions_root().iterdir()
    transcript = read(folder)
    assert len(transcript.entries) == N_TURNS
    assert (transcript.has_ended, transcript.untranslated, transcript.warnings) == (True, (), ())
    assert (transcript.info.model, transcript.info.source) == ("fake", "demonstration")
    assert transcript.info.settings["detector"] == "webrtc"
    assert transcript.info.versions["torch"]
    n_samples = N_TURNS * round((TURN_S + PAUSE_S) * 16_000)
    assert RecordedSound(transcript).read("file", 0, n_samples)[1] == n_samples
    assert unfinished(sessions_root()) == []


def test_nothing_is_kept_where_nothing_is_wanted(meeting, own_home):
    done = demo(meeting, "demo", "--terminal", "--pace", "fast", "--no-keep")
    assert done.returncode == 0, done.stderr
    assert not sessions_root().exists()


@pytest.mark.skipif(os.name == "nt", reason="no SIGTERM to catch")
def test_sigterm_brings_a_session_and_its_sound_to_their_end(meeting, own_home):
    program = meeting.parent / "program.py"
    program.write_text(PROGRAM)
    words = [sys.executable, program, meeting, "demo", "--terminal", "--record", "--model", "fake"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        words, cwd=meeting.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert next(line for line in running.stdout if "→" in line)
        running.terminate()
        _, said = running.communicate(timeout=60)
    assert running.returncode == INTERRUPTED, said
    (folder,) = sessions_root().iterdir()
    transcript = read(folder)
    assert transcript.has_ended
    assert transcript.entries
    last = transcript.entries[-1].caption
    assert RecordedSound(transcript).read("file", last.start, last.end)[1] == last.end - last.start


def test_a_place_for_sessions_that_cannot_be_written_is_said_and_the_demo_goes_on(meeting, own_home):
    (own_home / "in the way").write_text("")
    with (own_home / "settings.toml").open("a") as file:
        file.write(f'sessions_folder = "{own_home / "in the way" / "sessions"}"\n')
    done = demo(meeting, "demo", "--terminal", "--pace", "fast")
    assert "Captions wait in memory until it can." in done.stderr
    assert "The session cannot be written" in done.stderr
    assert done.stdout.count("→en") + done.stdout.count("→zh") >= N_TURNS
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_meeting_in_real_time_has_delays(meeting):
    done = demo(meeting, "demo", "--terminal")
    assert done.returncode == 0, done.stderr
    assert "Delay, end of speech to final caption" in done.stdout
    assert "(p95)" in done.stdout


def test_a_meeting_that_was_left_early_is_not_scored(meeting):
    done = demo(meeting, "on-screen", "left", "demo")
    assert done.returncode == 0, done.stderr
    assert "not played to its end" in done.stdout
    assert "Utterances translated" in done.stdout
    assert "BLEU" not in done.stdout
    assert "Written so far: " in done.stdout


def test_a_folder_that_cannot_be_written_is_one_line_before_anything_plays(meeting):
    (meeting.parent / "tongchuan-demo").write_text("in the way")
    done = demo(meeting, "demo", "--terminal", "--pace", "fast")
    assert done.returncode == 1
    assert "demo.srt cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_demo_says_what_its_model_is_and_is_not(monkeypatch, capsys):
    class Left:
        failures = ()
        is_whole = False

        def __init__(self, *_):
            pass

        def in_terminal(self):
            return INTERRUPTED

        def written(self):
            return ""

    monkeypatch.setattr(command, "_Meeting", Left)
    arguments = parse(["demo", "--terminal", "--model", "embedded"])
    assert arguments.run(arguments) == INTERRUPTED
    told = capsys.readouterr().out
    for fact in ("demonstration model", "synthetic voices", "meeting phrases", "nothing is claimed for human speech"):
        assert fact in told
    assert "not in its training" in told
