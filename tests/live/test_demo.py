import json

import pytest

from live import demo

SCRIPT = {
    "seed": 7,
    "turns": [
        {
            "speaker": "Lin",
            "language": "zh",
            "start_s": 0.5,
            "end_s": 4.0,
            "sentences": [
                {"start_s": 0.5, "end_s": 2.0, "text": "早上好。", "translation": "Good morning."},
                {"start_s": 2.25, "end_s": 4.0, "text": "我们开始吧。", "translation": "Let us begin."},
            ],
        },
        {
            "speaker": "Anna",
            "language": "en",
            "start_s": 5.0,
            "end_s": 6.0,
            "sentences": [{"start_s": 5.0, "end_s": 6.0, "text": "Fine.", "translation": "好的。"}],
        },
    ],
}


@pytest.fixture
def package_data(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_FILES", tmp_path)
    (tmp_path / "script.json").write_text(json.dumps(SCRIPT, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "meeting.flac").write_bytes(b"fLaC")
    return tmp_path


@pytest.mark.usefixtures("package_data")
def test_the_script_tells_who_says_what_when_and_what_it_means():
    script = demo.load_script()
    assert script.seed == 7
    assert [(turn.speaker, turn.language, len(turn.lines)) for turn in script.turns] == [
        ("Lin", "zh", 2),
        ("Anna", "en", 1),
    ]
    assert script.turns[0].lines[1] == demo.Line(2.25, 4.0, "我们开始吧。", "Let us begin.")


@pytest.mark.usefixtures("package_data")
def test_the_sound_is_a_file_while_it_is_used():
    with demo.meeting_sound() as path:
        assert path.read_bytes() == b"fLaC"
