"""Looking up a model: by name, by folder, by mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from models import catalogue
from models.base import ModelLoadError


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(100))
    return folder


@pytest.fixture
def embedded(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "embedded_folder", lambda: checkpoint)
    return checkpoint


def test_auto_is_the_embedded_model_and_says_why(embedded):
    entry = catalogue.resolve("auto", "cpu")
    assert entry.name == "embedded"
    assert entry.reason.endswith(".")
    assert entry.factory.target == "models.qwen_audio.translator:QwenAudioTranslator"
    assert entry.factory.arguments == {"folder": str(embedded), "device": "cpu"}


def test_the_embedded_model_by_name_needs_no_reason(embedded):
    entry = catalogue.resolve("embedded")
    assert entry.reason == ""
    assert entry.languages == ("zh", "en")
    assert entry.size_bytes == 102


def test_the_embedded_model_lies_in_its_package():
    assert catalogue.embedded_folder() == Path(catalogue.__file__).parent / "embedded"


def test_an_embedded_model_without_files_is_listed_as_missing_and_cannot_be_used(embedded):
    (embedded / "model.safetensors").unlink()
    listed = catalogue.known()[0]
    assert (listed.name, listed.is_here, listed.size_bytes) == ("embedded", False, None)
    for name in ("embedded", "auto"):
        with pytest.raises(ModelLoadError, match="install the program again"):
            catalogue.resolve(name)


def test_a_folder_with_a_checkpoint_is_a_model(checkpoint, monkeypatch):
    monkeypatch.chdir(checkpoint.parent)
    entry = catalogue.resolve("my-model", "cuda")
    assert entry.name == "my-model"
    assert entry.factory.arguments == {"folder": str(checkpoint), "device": "cuda"}


def test_a_folder_in_the_home_directory_may_be_written_with_a_tilde(checkpoint, monkeypatch):
    monkeypatch.setenv("HOME", str(checkpoint.parent))
    assert catalogue.resolve("~/my-model").factory.arguments["folder"] == str(checkpoint)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(ModelLoadError, match=r"no config\.json"):
        catalogue.resolve(str(tmp_path))


@pytest.mark.parametrize("wrong", ["embeded", "EMBEDDED", "embedded-model"])
def test_a_misspelt_name_is_answered_with_the_nearest(wrong):
    with pytest.raises(ModelLoadError, match="did you mean 'embedded'"):
        catalogue.resolve(wrong)


@pytest.mark.parametrize("wrong", ["./nowhere", "~nobody-of-that-name/model", "a\0b", ""])
def test_what_is_neither_name_nor_folder_is_refused_in_one_line(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelLoadError) as refused:
        catalogue.resolve(wrong)
    assert "\n" not in str(refused.value)


def test_the_fake_is_taken_by_name_but_never_listed():
    assert catalogue.resolve("fake").factory().translate
    assert "fake" not in [entry.name for entry in catalogue.known()]


def test_names_listed_are_names_taken(embedded):
    assert [catalogue.resolve(entry.name).name for entry in catalogue.known()] == [
        entry.name for entry in catalogue.known()
    ]


def test_looking_up_models_imports_no_model_library():
    code = "import sys; from models import catalogue; catalogue.known(); catalogue.resolve('fake'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"torch", "transformers", "safetensors", "models.qwen_audio", "models.fake"} & set(done.stdout.split())
