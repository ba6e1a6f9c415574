import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from live import settings as live_settings
from live.errors import SettingsError
from live.settings import RULES, Settings, load, parse_value, set_value, settings_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_missing_file_gives_the_defaults(path):
    settings, origins = load(path)
    assert settings == Settings()
    assert set(origins) == set(RULES)
    assert set(origins.values()) == {"default"}


def test_every_default_obeys_its_own_rule_and_has_a_sentence_of_help():
    for name, rule in RULES.items():
        default = getattr(Settings(), name)
        assert rule.read(default) == default
        assert rule.help.endswith(".")


def test_the_command_line_wins_over_the_file_and_the_file_over_the_default(path):
    write(path, 'endpoint_ms = 600\ntext_size = 40\npair = ["en", "zh"]\nopacity = 1\n')
    settings, origins = load(path, {"text_size": 50})
    assert (settings.endpoint_ms, settings.text_size, settings.pair, settings.opacity) == (600, 50, ("en", "zh"), 1.0)
    assert (origins["endpoint_ms"], origins["text_size"], origins["model"]) == ("file", "command line", "default")


def test_an_unknown_setting_is_an_error_that_names_the_nearest(path):
    write(path, "endpont_ms = 600\n")
    with pytest.raises(SettingsError, match=r"'endpont_ms' in .*settings\.toml; the nearest is 'endpoint_ms'"):
        load(path)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('endpoint_ms = "fast"', "'endpoint_ms' in .* must be a whole number from 200 to 2000, not 'fast'"),
        ("endpoint_ms = 550.5", "must be a whole number from 200 to 2000, not 550.5"),
        ("endpoint_ms = true", "must be a whole number from 200 to 2000, not True"),
        ("endpoint_ms = 20", "must be a whole number from 200 to 2000, not 20"),
        ("opacity = nan", "must be a number from 0 to 1, not nan"),
        ("opacity = 1.5", "must be a number from 0 to 1, not 1.5"),
        ("model = 7", "'model' in .* must be a text, not 7"),
        ('device = "gpu"', "must be one of auto, cuda, mps, cpu, not 'gpu'"),
        ('from_language = "klingon"', "must be one of auto, zh, en, de, es, ko, fr, ja, it, not 'klingon'"),
        ('from_language = "zh_tr"', "must be one of auto, zh, en, de, es, ko, fr, ja, it, not 'zh_tr'"),
        ('to_language = "xx"', "must be one of auto, zh, en, .* it, zh_tr, not 'xx'"),
        ('pair = ["en", "zh_tr"]', "must be two different languages of zh, en, de, es, ko, fr, ja, it, not"),
        ('pair = ["zh", "zh"]', "must be two different languages"),
        ('pair = "zh"', "must be two different languages"),
        ("pair = [1, [2]]", "must be two different languages"),
        ("[device]\nname = 1", "must be one of auto, cuda, mps, cpu"),
    ],
)
def test_a_wrong_value_is_an_error_that_says_what_is_expected(path, line, sentence):
    write(path, line + "\n")
    with pytest.raises(SettingsError, match=sentence):
        load(path)


def test_a_wrong_value_on_the_command_line_is_the_same_error(path):
    with pytest.raises(SettingsError, match="'device' must be one of"):
        load(path, {"device": "gpu"})


def test_a_broken_toml_names_line_and_column(path):
    write(path, 'model = "embedded"\ntext_size = = 3\n')
    with pytest.raises(SettingsError, match=r"settings\.toml is not valid TOML at line 2, column \d+: "):
        load(path)


def test_a_key_given_twice_names_its_line(path):
    write(path, "text_size = 30\ntext_size = 31\n")
    with pytest.raises(SettingsError, match="line 2"):
        load(path)


def test_a_file_that_is_not_text_is_a_settings_error(path):
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe\x00broken")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(path)


def test_a_folder_in_the_place_of_the_file_is_a_settings_error(path):
    path.mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(path)


def test_every_language_may_be_spoken_and_traditional_chinese_written(path):
    write(path, 'from_language = "ko"\nto_language = "zh_tr"\npair = ["ja", "it"]\n')
    settings, _ = load(path)
    assert (settings.from_language, settings.to_language, settings.pair) == ("ko", "zh_tr", ("ja", "it"))


def test_translating_a_language_into_itself_is_refused(path):
    with pytest.raises(SettingsError, match="both 'en'"):
        load(path, {"from_language": "en", "to_language": "en"})


def test_writing_a_value_keeps_comments_and_order_and_is_for_the_owner_only(path):
    write(path, "# mine\ntext_size = 30  # large\n\nmode = 'follow'\n")
    path.chmod(0o644)
    set_value(path, "text_size", 44)
    set_value(path, "pair", ("en", "zh"))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# mine\ntext_size = 44  # large\n\nmode = 'follow'\n")
    assert load(path)[0].pair == ("en", "zh")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writing_makes_the_file_and_its_folder(path):
    set_value(path, "device", "cpu")
    assert load(path)[0].device == "cpu"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_refused_value_leaves_the_file_as_it_was(path):
    write(path, "to_language = 'en'\n")
    for key, value in (("text_size", 1000), ("textsize", 30), ("from_language", "en")):
        with pytest.raises(SettingsError):
            set_value(path, key, value)
    assert path.read_text(encoding="utf-8") == "to_language = 'en'\n"


def test_a_link_to_the_settings_stays_a_link(path, tmp_path):
    real = tmp_path / "dotfiles.toml"
    write(path, "")
    path.unlink()
    real.write_text("text_size = 30\n", encoding="utf-8")
    path.symlink_to(real)
    set_value(path, "text_size", 31)
    assert path.is_symlink()
    assert load(real)[0].text_size == 31


def test_a_full_disk_keeps_the_old_settings_and_leaves_nothing_behind(path, monkeypatch):
    write(path, "text_size = 30\n")

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("live.files.os.fsync", refuse)
    with pytest.raises(SettingsError, match="No space left on device"):
        set_value(path, "text_size", 31)
    assert load(path)[0].text_size == 30
    assert {item.name for item in path.parent.iterdir()} <= {"settings.toml", "settings.toml.lock"}


def test_words_of_the_command_line_become_values():
    assert parse_value("endpoint_ms", "600") == 600
    assert parse_value("opacity", "0.5") == 0.5
    assert parse_value("pair", "en, zh") == ("en", "zh")
    assert parse_value("input", "USB 麦克风") == "USB 麦克风"
    with pytest.raises(SettingsError, match="whole number"):
        parse_value("endpoint_ms", "soon")
    with pytest.raises(SettingsError, match="nearest is 'opacity'"):
        parse_value("opacty", "1")


def test_the_environment_names_another_file(monkeypatch, tmp_path):
    monkeypatch.setenv(live_settings.PATH_VARIABLE, str(tmp_path / "other.toml"))
    set_value(None, "text_size", 33)
    assert settings_path() == tmp_path / "other.toml"
    assert load()[0].text_size == 33


def _write_many(path: Path, key: str, values: list[object]) -> None:
    for value in values:
        set_value(path, key, value)


def test_two_programs_that_write_at_once_lose_nothing(path):
    write(path, "# kept\n")
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=_write_many, args=(path, "text_size", list(range(20, 60)))),
        spawn.Process(target=_write_many, args=(path, "endpoint_ms", list(range(500, 540)))),
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        load(path)  # never half a file
    for writer in writers:
        writer.join()
    settings, _ = load(path)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert (settings.text_size, settings.endpoint_ms) == (59, 539)
    assert path.read_text(encoding="utf-8").startswith("# kept\n")
    assert not os.access(path, os.X_OK)
