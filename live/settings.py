"""What the user chose: one frozen object from one TOML file.

In: the settings file and the command line's choices. Out: Settings, and where each value comes from.
This module alone writes the file. Window places are not settings; they live in the interface's own state file.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_type_hints

import filelock
import platformdirs
import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from live.errors import SettingsError
from live.events import Mode, SourceKind
from live.files import OWNER_ONLY_FOLDER, replace_private
from models.base import LANGUAGES, WRITTEN_ONLY
from models.precision import QUANTS, Wish

PATH_VARIABLE = "TONGCHUAN_SETTINGS"
"""Environment variable that names another settings file."""
SPOKEN = tuple(code for code in LANGUAGES if code not in WRITTEN_ONLY)
"""Codes of the languages that speech may be in."""
AUTO: Final = "auto"
TRUTHS: Mapping[str, bool] = {"true": True, "false": False}
"""How a choice between two is written, in the file and on the command line."""
LOCK_TIMEOUT_S = 5.0

DetectorName = Literal["silero", "webrtc"]
SoundFormat = Literal["opus", "flac", "wav"]
"""How recorded sound is encoded."""
Origin = Literal["default", "file", "command line"]
Origins = Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a setting may be, and a sentence for people."""

    kind: type
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def expected(self) -> str:
        """What is allowed, as the end of a sentence that begins "must be"."""
        if self.kind is tuple:
            return "two different languages of " + ", ".join(self.choices)
        if self.kind is bool:
            return " or ".join(TRUTHS)
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is not None:
            noun = "a whole number" if self.kind is int else "a number"
            return f"{noun} from {self.low:g} to {self.high:g}"
        return "a text"

    def read(self, value: object) -> Any:  # noqa: ANN401 - of type `kind`
        """Return the value as it stands in Settings.

        Raises:
            ValueError: it is of the wrong type or out of range.
        """
        if self.kind is tuple:
            return self._read_pair(value)
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, self.kind) or isinstance(value, bool) != (self.kind is bool):
            raise ValueError
        if self.choices and value not in self.choices:
            raise ValueError
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:  # type: ignore[operator]
            raise ValueError
        return value

    def _read_pair(self, value: object) -> tuple[str, str]:
        if not isinstance(value, list | tuple) or len(value) != 2 or value[0] == value[1]:
            raise ValueError
        if any(language not in self.choices for language in value):
            raise ValueError
        return value[0], value[1]

    def parse(self, text: str) -> object:
        """Return the value that a word of the command line stands for, or the word itself for `read` to refuse."""
        if self.kind is tuple:
            return [part.strip() for part in text.split(",")]
        if self.kind is bool:
            return TRUTHS.get(text.strip().lower(), text)
        if self.kind in (int, float):
            try:
                return self.kind(text)
            except ValueError:
                return text
        return text


@dataclass(frozen=True, slots=True)
class Settings:
    """Every choice of the user."""

    model: Annotated[
        str,
        Rule(
            str, "Which model translates: a name listed by `tongchuan models`, a folder, or a repository as OWNER/NAME."
        ),
    ] = AUTO
    device: Annotated[str, Rule(str, "What the model computes on.", (AUTO, "cuda", "mps", "cpu"))] = AUTO
    quant: Annotated[
        Wish,
        Rule(
            str,
            "How exactly the model's weights are held: auto is the most exact that there is memory for.",
            (AUTO, *QUANTS),
        ),
    ] = AUTO
    source: Annotated[SourceKind, Rule(str, "What is listened to.", ("microphone", "system", "both"))] = "microphone"
    input: Annotated[str, Rule(str, "Name of the microphone, or a part of it; empty for the system's own choice.")] = ""
    output: Annotated[
        str, Rule(str, "Name of the output whose sound is listened to, or a part; empty for the system's own choice.")
    ] = ""
    from_language: Annotated[str, Rule(str, "Language spoken; auto: decided for each utterance.", (AUTO, *SPOKEN))] = (
        AUTO
    )
    to_language: Annotated[
        str,
        Rule(str, "Language of the subtitles; auto: the pair's other one, or its first.", (AUTO, *LANGUAGES)),
    ] = AUTO
    pair: Annotated[tuple[str, str], Rule(tuple, "The two languages of a conversation.", SPOKEN)] = ("zh", "en")
    detector: Annotated[
        DetectorName,
        Rule(str, "What tells speech from other sound: silero is surer, webrtc lighter.", ("silero", "webrtc")),
    ] = "silero"
    mode: Annotated[
        Mode,
        Rule(
            str,
            "How eagerly text is shown: follow shows all at once, reading only what will not change.",
            ("follow", "balanced", "reading"),
        ),
    ] = "balanced"
    drop_echo: Annotated[
        bool,
        Rule(bool, "Whether speech is left out that the microphone only repeats of the computer's sound."),
    ] = True
    endpoint_ms: Annotated[int, Rule(int, "Quiet that ends an utterance, in milliseconds.", low=200, high=2000)] = 550
    skip_when_behind: Annotated[
        bool,
        Rule(bool, "Whether sentences may be left out, visibly, when translation falls more than 12 s behind."),
    ] = False
    text_size: Annotated[int, Rule(int, "Size of the translation on the overlay, in pixels.", low=14, high=96)] = 28
    opacity: Annotated[
        float, Rule(float, "How dark the overlay's background is: 0 is clear, 1 is black.", low=0.0, high=1.0)
    ] = 0.7
    keep_sessions: Annotated[
        bool, Rule(bool, "Whether each session is kept, its captions that is, to be read, searched and exported later.")
    ] = True
    record_audio: Annotated[
        bool, Rule(bool, "Whether a session's sound is kept beside its captions; everyone in the room should know.")
    ] = False
    record_format: Annotated[
        SoundFormat,
        Rule(str, "How sound is kept: opus is small, flac and wav are exact.", ("opus", "flac", "wav")),
    ] = "opus"
    sessions_folder: Annotated[str, Rule(str, "Where sessions are kept; empty for the system's own place.")] = ""
    subtitles_folder: Annotated[
        str, Rule(str, "Where each session's subtitles (SRT) grow while it runs, named by its start; empty for none.")
    ] = ""


RULES: Mapping[str, Rule] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}
"""The rule of each setting, in the order shown."""


def settings_path() -> Path:
    """Where the settings file is, or would be."""
    named = os.environ.get(PATH_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("tongchuan", appauthor=False) / "settings.toml"


def load(path: Path | None = None, overrides: Mapping[str, object] | None = None) -> tuple[Settings, Origins]:
    """Read the settings; a file that does not exist is an empty one.

    Args:
        path: The file; None is `settings_path()`.
        overrides: What the command line says, by setting; it wins over the file.

    Returns:
        The settings, and where each comes from.

    Raises:
        SettingsError: the file cannot be read, or a value in either is unknown, of the wrong type or out of range.
    """
    path = path or settings_path()
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = dict.fromkeys(RULES, "default")
    sources: tuple[tuple[Origin, str, Mapping[str, object]], ...] = (
        ("file", f" in {path}", _read(path).unwrap()),
        ("command line", "", overrides or {}),
    )
    for origin, where, given in sources:
        for key, value in given.items():
            values[key] = _check(key, value, where)
            origins[key] = origin
    settings = Settings(**values)
    _check_direction(settings)
    return settings, origins


def parse_value(key: str, text: str) -> object:
    """Return the value that a word of the command line stands for.

    Raises:
        SettingsError: the setting is unknown, or the word does not fit it.
    """
    rule = RULES.get(key)
    return _check(key, rule.parse(text) if rule else text, "")


def set_value(path: Path | None, key: str, value: object) -> None:
    """Write one setting into the file, with the comments and the order kept.

    Safe beside another program that does the same: writers wait for each other, readers see a whole file.

    Args:
        path: The file; None is `settings_path()`.
        key: The setting.
        value: Of the setting's own type.

    Raises:
        SettingsError: the value does not fit, the resulting file would not, or it cannot be written.
    """
    path = path or settings_path()
    checked = _check(key, value, "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
        with filelock.FileLock(path.with_name(path.name + ".lock"), timeout=LOCK_TIMEOUT_S, mode=0o600):
            document = _read(path)
            document[key] = list(checked) if isinstance(checked, tuple) else checked
            _check_direction(_merged(document, path))
            replace_private(path, tomlkit.dumps(document))
    except filelock.Timeout as error:
        raise SettingsError(f"{path} is being written by another program; try again in a moment.") from error
    except OSError as error:
        raise SettingsError(f"Settings cannot be written to {path}: {error.strerror}.") from error


def _merged(document: tomlkit.TOMLDocument, path: Path) -> Settings:
    values = {key: _check(key, value, f" in {path}") for key, value in document.unwrap().items()}
    return Settings(**values)


def _read(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return tomlkit.document()
    except ParseError as error:
        place = f"line {error.line}, column {error.col}"
        reason = str(error).partition(" at line ")[0]
        raise SettingsError(
            f"{path} is not valid TOML at {place}: {reason}. Mend that line, or delete the file."
        ) from error
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}. Mend it, or delete it.") from error
    except OSError as error:
        raise SettingsError(f"Settings cannot be read from {path}: {error.strerror}.") from error


def _check(key: str, value: object, where: str) -> Any:  # noqa: ANN401 - of the setting's type
    rule = RULES.get(key)
    if rule is None:
        nearest = difflib.get_close_matches(key, RULES, n=1, cutoff=0.0)[0]
        raise SettingsError(
            f"There is no setting '{key}'{where}; the nearest is '{nearest}'. `tongchuan settings` lists them all."
        )
    try:
        return rule.read(value)
    except ValueError as error:
        shown = f"'{value}'" if isinstance(value, str) else value
        raise SettingsError(f"The setting '{key}'{where} must be {rule.expected}, not {shown}.") from error


def _check_direction(settings: Settings) -> None:
    if settings.from_language == settings.to_language != AUTO:
        raise SettingsError(
            f"from_language and to_language are both '{settings.to_language}': choose two languages, or auto for one."
        )
