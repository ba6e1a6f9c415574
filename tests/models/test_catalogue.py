"""Looking up a model: by name, by repository, by folder, by mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import COMMIT, checkpoint, write_files
from huggingface_hub import constants

from models import catalogue
from models.base import ModelLoadError
from models.catalogue import NotHereError

QWEN = "models.qwen_audio.translator:QwenAudioTranslator"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(checkpoint(), tmp_path / "my-model")


@pytest.fixture
def embedded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "embedded_folder", lambda: folder)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put_in_cache(cache: Path, repository: str, *without: str) -> Path:
    """Lay a checkpoint where huggingface_hub keeps it; returns the folder."""
    own = cache / f"models--{repository.replace('/', '--')}"
    (own / "refs").mkdir(parents=True)
    (own / "refs" / "main").write_text(COMMIT)
    files = {name: content for name, content in checkpoint().items() if name not in without}
    return write_files(files, own / "snapshots" / COMMIT)


def test_the_embedded_model_is_found_by_name(embedded):
    entry = catalogue.resolve("embedded", "cpu")
    assert entry.factory.target == QWEN
    assert entry.factory.arguments == {"folder": str(embedded), "device": "cpu"}
    assert entry.answerer is None
    assert entry.reason == ""
    assert entry.languages == ("zh", "en")
    assert entry.size_bytes == sum(path.stat().st_size for path in embedded.iterdir() if path.is_file())
    assert "nothing is claimed for human speech" in entry.notice


def test_the_embedded_model_lies_whole_in_its_package():
    assert catalogue.embedded_folder() == Path(catalogue.__file__).parent / "embedded"
    assert catalogue.resolve("embedded").is_here


def test_an_embedded_model_without_files_is_listed_as_missing_and_cannot_be_used(embedded):
    (embedded / "model-00002-of-00003.safetensors").unlink()
    listed = catalogue.known()[0]
    assert (listed.name, listed.is_here, listed.size_bytes) == ("embedded", False, None)
    with pytest.raises(NotHereError, match="install the program again"):
        catalogue.resolve("embedded")


@pytest.mark.parametrize(
    ("name", "repository", "mode"),
    [
        ("qwen-audio", "Qwen/Qwen-Audio", "task_tags"),
        ("qwen-audio-chat", "Qwen/Qwen-Audio-Chat", "chatml"),
        ("qwen2-audio", "Qwen/Qwen2-Audio-7B", "prompt"),
        ("qwen2-audio-instruct", "Qwen/Qwen2-Audio-7B-Instruct", "chatml"),
    ],
)
def test_a_published_model_in_the_hub_s_cache_is_used_from_there_by_either_name(cache, name, repository, mode):
    here = put_in_cache(cache, repository)
    for asked in (name, repository):
        entry = catalogue.resolve(asked, "cuda")
        assert entry.name == name
        assert entry.factory.arguments == {"folder": str(here), "device": "cuda", "mode": mode}
        assert entry.answerer is not None
        assert entry.answerer.arguments == entry.factory.arguments


def test_a_published_model_that_is_not_here_names_the_command_that_brings_it():
    with pytest.raises(NotHereError) as refused:
        catalogue.resolve("qwen-audio")
    assert str(refused.value) == (
        "The model qwen-audio is not on this computer: run `tongchuan models fetch qwen-audio`."
    )


@pytest.mark.parametrize(
    "missing", ["model-00002-of-00003.safetensors", "qwen.tiktoken", "model.safetensors.index.json"]
)
def test_half_a_model_in_the_cache_is_not_here(cache, missing):
    put_in_cache(cache, "Qwen/Qwen-Audio", missing)
    with pytest.raises(NotHereError, match=r"is not on this computer as a whole \(.*missing\): run"):
        catalogue.resolve("qwen-audio")


def test_a_shard_cut_short_in_the_cache_is_told(cache):
    here = put_in_cache(cache, "Qwen/Qwen-Audio")
    with (here / "model-00003-of-00003.safetensors").open("r+b") as shard:
        shard.truncate(40_000)
    with pytest.raises(NotHereError, match=r"model-00003-of-00003\.safetensors has 40,000 bytes instead of 50,0"):
        catalogue.resolve("qwen-audio")


def test_any_repository_may_be_named_and_is_told_by_its_own_files(cache):
    with pytest.raises(NotHereError, match="The repository someone/tuned-audio is not on this computer"):
        catalogue.resolve("someone/tuned-audio")
    here = put_in_cache(cache, "someone/tuned-audio")
    entry = catalogue.resolve("someone/tuned-audio", "cpu")
    assert entry.name == "someone/tuned-audio"
    assert entry.factory.arguments == {"folder": str(here), "device": "cpu"}
    assert entry.licence_notice.startswith("Tongyi Qianwen is licensed under")


def test_a_folder_goes_before_a_repository_of_the_same_name(tmp_path, monkeypatch):
    here = write_files(checkpoint(), tmp_path / "someone" / "tuned-audio")
    monkeypatch.chdir(tmp_path)
    assert catalogue.resolve("someone/tuned-audio").factory.arguments["folder"] == str(here)


def test_a_folder_with_a_checkpoint_is_a_model(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    entry = catalogue.resolve("my-model", "cuda")
    assert entry.name == "my-model"
    assert entry.factory.arguments == {"folder": str(folder), "device": "cuda"}


def test_a_folder_in_the_home_directory_may_be_written_with_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert catalogue.resolve("~/my-model").factory.arguments["folder"] == str(folder)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(ModelLoadError, match=r"no config\.json"):
        catalogue.resolve(str(tmp_path))


def test_a_folder_with_half_a_checkpoint_is_refused_with_what_is_missing(folder):
    (folder / "model-00001-of-00003.safetensors").unlink()
    with pytest.raises(ModelLoadError, match=r"is not whole: model-00001-of-00003\.safetensors is missing"):
        catalogue.resolve(str(folder))


def test_only_the_licence_that_asks_for_a_notice_has_one():
    notices = {entry.name: entry.licence_notice for entry in catalogue.known()}
    assert [name for name, notice in notices.items() if notice] == ["qwen-audio", "qwen-audio-chat"]
    assert notices["qwen-audio"] == (
        "Tongyi Qianwen is licensed under the Tongyi Qianwen LICENSE AGREEMENT, Copyright (c) Alibaba Cloud. "
        "All Rights Reserved."
    )


def test_the_figures_are_those_of_the_published_checkpoints():
    entries = {entry.name: entry for entry in catalogue.large()}
    assert entries["qwen-audio"].size_bytes == 2 * 8_396_222_464
    assert entries["qwen2-audio"].size_bytes == 2 * 8_397_094_912
    assert entries["qwen-audio"].bleu["en", "zh"] == 41.5
    assert entries["qwen2-audio"].bleu["zh", "en"] == 24.0
    assert all(entry.bleu_source for entry in entries.values())


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("embeded", "embedded"), ("EMBEDDED", "embedded"), ("qwen-audo", "qwen-audio")]
)
def test_a_misspelt_name_is_answered_with_the_nearest(wrong, nearest):
    with pytest.raises(ModelLoadError, match=f"did you mean '{nearest}'"):
        catalogue.resolve(wrong)


@pytest.mark.parametrize("wrong", ["./nowhere", "~nobody-of-that-name/model", "a\0b", "", "a/b/c", "/nowhere/at/all"])
def test_what_is_neither_name_nor_folder_is_refused_in_one_line(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelLoadError) as refused:
        catalogue.resolve(wrong)
    assert "\n" not in str(refused.value)
    assert not isinstance(refused.value, NotHereError)


def test_the_fake_is_taken_by_name_but_never_listed():
    assert catalogue.resolve("fake").factory().translate
    assert "fake" not in [entry.name for entry in catalogue.known()]


def test_names_listed_are_names_taken():
    assert [catalogue.find(entry.name).name for entry in catalogue.known()] == [
        entry.name for entry in catalogue.known()
    ]


def test_looking_up_models_imports_no_model_library():
    code = "import sys; from models import catalogue; catalogue.known(); catalogue.resolve('fake'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"torch", "transformers", "safetensors", "models.qwen_audio", "models.fake"} & set(done.stdout.split())
