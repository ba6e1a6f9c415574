"""Fetching a checkpoint: all of it or nothing that counts, from a hub that fails in every way there is."""

from __future__ import annotations

import errno
import socket
import sys
import time
from types import SimpleNamespace

import filelock
import pytest
from hub_server import COMMIT, Hub, point_at, safetensors, serving, sha256, use_cache
from huggingface_hub import constants
from huggingface_hub.utils import close_session

from models import checkpoint_files, download
from models.download import DownloadError, Fetched, cached_folder, fetch

NAME = "Qwen/Qwen-Audio"
SHARDS = [f"model-{i:05}-of-00003.safetensors" for i in (1, 2, 3)]
NEEDED = ["LICENSE", "config.json", "generation_config.json", *SHARDS, "model.safetensors.index.json", "qwen.tiktoken"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub's, and no wait between attempts."""
    monkeypatch.setattr(time, "sleep", lambda _s: None)
    return use_cache(tmp_path / "hub", monkeypatch)


@pytest.fixture(scope="module", autouse=True)
def _connections():
    yield
    close_session()


@pytest.fixture
def hub(cache, monkeypatch):
    with serving(Hub()) as served:
        point_at(served.address, monkeypatch)
        yield served


def refused(repository=NAME):
    """Fetch what cannot be had; return the one line that says so, after seeing that nothing counts as here."""
    with pytest.raises(DownloadError) as caught:
        fetch(repository)
    line = str(caught.value)
    assert "\n" not in line
    assert line.endswith(".")
    here = cached_folder(repository)
    assert here is None or not checkpoint_files.is_whole(here)
    return line


def test_a_checkpoint_is_fetched_whole_and_nothing_besides(hub, cache):
    told = []
    folder = fetch(NAME, told.append)
    assert sorted(path.name for path in folder.iterdir()) == sorted(NEEDED)
    assert all((folder / name).read_bytes() == hub.files[name] for name in NEEDED)
    assert cached_folder(NAME) == folder
    assert folder.name == COMMIT
    assert cache in folder.parents
    total = sum(len(hub.files[name]) for name in NEEDED)
    assert told[-1] == Fetched(total, total)
    assert told[-1].share == 1.0
    assert [fetched.done_bytes for fetched in told] == sorted(fetched.done_bytes for fetched in told)


def test_neither_code_nor_pickles_are_asked_for(hub):
    fetch(NAME)
    assert not [path for _, path, _ in hub.asked if path.endswith((".py", ".bin", ".flac", ".md"))]


def test_what_is_here_is_found_again_without_a_connection(hub):
    folder = fetch(NAME)
    n_asked = len(hub.asked)
    assert fetch(NAME) == folder
    assert len(hub.asked) == n_asked


def test_a_checkpoint_in_one_file_is_fetched_too(hub):
    hub.files = {name: content for name, content in hub.files.items() if "safetensors" not in name}
    hub.files["model.safetensors"] = safetensors(1000)
    assert (fetch(NAME) / "model.safetensors").read_bytes() == safetensors(1000)


def test_a_file_that_breaks_off_once_goes_on_in_the_same_attempt(hub, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.cuts[SHARDS[1]] = [20_000]
    fetch(NAME)
    assert hub.ranges(SHARDS[1]) == ["", "bytes=20000-"]


def test_a_second_attempt_asks_for_the_rest_and_skips_what_is_whole(hub, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.cuts[SHARDS[1]] = [20_000, *([0] * 20)]
    line = refused()
    assert line.startswith("The connection to 127.0.0.1 broke off: try again.")
    assert "kept" in line
    hub.cuts.clear()
    hub.asked.clear()
    told = []
    folder = fetch(NAME, told.append)
    assert (folder / SHARDS[1]).read_bytes() == hub.files[SHARDS[1]]
    assert hub.ranges(SHARDS[0]) == []
    assert hub.ranges(SHARDS[1]) == ["bytes=20000-"]
    assert hub.ranges(SHARDS[2]) == [""]
    assert told[0].done_bytes > 0


def test_weights_are_asked_for_uncompressed_so_that_they_can_go_on(hub):
    fetch(NAME)
    assert hub.encodings == {"identity"}


def test_a_hub_that_knows_no_parts_sends_the_file_again(hub, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.cuts[SHARDS[1]] = [20_000, *([0] * 20)]
    refused()
    hub.cuts.clear()
    hub.ignores_range = True
    assert (fetch(NAME) / SHARDS[1]).read_bytes() == hub.files[SHARDS[1]]


def test_a_kill_in_the_midst_of_a_file_leaves_nothing_that_counts(hub, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)

    def stop(fetched: Fetched) -> None:
        if fetched.share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(NAME, stop)
    here = cached_folder(NAME)
    assert here is None or checkpoint_files.problem(here)
    assert checkpoint_files.is_whole(fetch(NAME))


def test_where_links_are_not_allowed_nothing_is_kept_twice(hub, cache, monkeypatch):
    monkeypatch.setattr("huggingface_hub.file_download.are_symlinks_supported", lambda *_args: False)
    folder = fetch(NAME)
    assert sum(path.stat().st_size for path in cache.rglob("*.safetensors")) > 0
    assert list((cache / "models--Qwen--Qwen-Audio" / "blobs").iterdir()) == []
    assert checkpoint_files.is_whole(folder)
    assert fetch(NAME) == folder


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (404, "RepoNotFound", "There is no repository Qwen/Qwen-Audio at 127.0.0.1"),
        (404, "", "There is no repository Qwen/Qwen-Audio at 127.0.0.1"),
        (401, "RepoNotFound", "does not give Qwen/Qwen-Audio to everyone"),
        (403, "GatedRepo", "accept its terms there and set HF_TOKEN"),
        (403, "", "accept its terms there and set HF_TOKEN"),
        (429, "", "asks to come back later"),
        (503, "", "is out of order (status 503)"),
        (418, "", "refuses Qwen/Qwen-Audio (status 418)"),
    ],
)
def test_a_refusal_is_one_line_and_leaves_nothing(hub, cache, status, code, sentence):
    hub.status, hub.error_code = status, code
    assert sentence in refused()
    assert not cache.exists()


def test_a_file_gone_in_between_is_one_line(hub):
    hub.files["qwen.tiktoken"] = b"IQ== 0\n"
    original = hub.listing()
    del hub.files[SHARDS[2]]
    hub.listing = lambda: original
    assert "a file of it is gone" in refused()


def test_a_page_to_log_in_is_no_list_of_files(hub):
    hub.is_page = True
    assert "a page to log in?" in refused()


def test_a_mirror_that_serves_files_without_their_names_is_refused(hub):
    hub.is_nameless = True
    assert "does not speak the hub's language" in refused()


def test_a_page_in_the_place_of_weights_is_put_away(hub):
    hub.swaps[SHARDS[0]] = b"<html>" + bytes(len(hub.files[SHARDS[0]]) - 6)
    assert f"{SHARDS[0]} of Qwen/Qwen-Audio came other than it was published" in refused()
    hub.swaps.clear()
    assert (fetch(NAME) / SHARDS[0]).read_bytes() == hub.files[SHARDS[0]]


def test_a_small_file_with_another_content_is_put_away(hub):
    hub.swaps["qwen.tiktoken"] = b"IQ== 1\n"
    assert "qwen.tiktoken of Qwen/Qwen-Audio came other than" in refused()


def test_a_shard_cut_short_on_the_disk_is_fetched_again(hub):
    folder = fetch(NAME)
    with (folder / SHARDS[0]).resolve().open("r+b") as file:
        file.truncate(100)
    assert not checkpoint_files.is_whole(folder)
    assert (fetch(NAME) / SHARDS[0]).read_bytes() == hub.files[SHARDS[0]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"config.json": None}, "has no config.json"),
        ({"config.json": b'{"model_type": "bert"}'}, "is no checkpoint of the Qwen-Audio family"),
        ({"config.json": b'{"model_type": "qwen"}'}, "is no checkpoint of the Qwen-Audio family"),
        ({"config.json": b"{"}, "config.json is cut short or no JSON"),
        ({"qwen.tiktoken": None}, "has no a vocabulary"),
        ({SHARDS[1]: None}, f"its index names {SHARDS[1]}, which is not there"),
        ({"model.safetensors.index.json": b"{}"}, "model.safetensors.index.json names no weights"),
        ({"model.safetensors.index.json": b'{"weight_map": {"w": "../../x"}}'}, "names '../../x'"),
        ({"model.safetensors.index.json": b'{"weight_map": {"w": "x.bin"}}'}, "names 'x.bin'"),
        ({"model.safetensors.index.json": None}, "has no weights"),
        (dict.fromkeys([*SHARDS, "model.safetensors.index.json"]), "only as pickles"),
    ],
)
def test_what_is_no_checkpoint_is_refused_before_its_weights_are_fetched(hub, change, sentence):
    for name, content in change.items():
        if content is None:
            del hub.files[name]
        else:
            hub.files[name] = content
    assert sentence in refused()
    assert [path for _, path, _ in hub.asked if path.endswith((".safetensors", ".bin"))] == []


def test_a_disk_without_room_is_told_before_anything_large_is_fetched(hub, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_000_000))
    line = refused()
    assert "1 MB are free: make room, or name another place by HF_HOME" in line
    assert [path for _, path, _ in hub.asked if path.endswith(".safetensors")] == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_disk_that_fills_up_on_the_way_is_one_line_and_the_next_attempt_goes_on(hub, cache):
    blobs = cache / "models--Qwen--Qwen-Audio" / "blobs"
    blobs.mkdir(parents=True)
    part = blobs / f"{sha256(hub.files[SHARDS[0]])}.part"
    part.symlink_to("/dev/full")
    line = refused()
    assert line.startswith(f"The disk is full: make room in {cache}")
    part.unlink()
    fetch(NAME)


def test_a_cache_that_cannot_be_written_is_one_line(hub, cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"cannot be written \(.*\): allow it, or name another place by HF_HOME"):
        fetch(NAME)


def test_offline_mode_is_kept_and_named(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE forbids to fetch it: unset that variable" in refused()
    assert hub.asked == []


def test_offline_mode_uses_what_is_here(hub, monkeypatch):
    folder = fetch(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch(NAME) == folder


@pytest.mark.usefixtures("cache")
def test_an_unknown_host_is_named(monkeypatch):
    def lookup(*_args, **_options):
        raise socket.gaierror(errno.ENOENT, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    point_at("https://nowhere.invalid", monkeypatch)
    assert "The host nowhere.invalid is not found: check the connection, and HF_ENDPOINT" in refused()


@pytest.mark.usefixtures("cache")
def test_a_host_that_does_not_answer_is_named(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    point_at(f"http://127.0.0.1:{port}", monkeypatch)
    assert "127.0.0.1 cannot be reached: check the connection" in refused()


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("address", ["hf-mirror.com", "ftp://huggingface.co", "http://[::1"])
def test_an_endpoint_that_is_no_address_is_named(monkeypatch, address):
    monkeypatch.setattr(constants, "ENDPOINT", address)
    assert f"HF_ENDPOINT is {address!r}, which is no address" in refused()


@pytest.mark.parametrize("name", ["a/b/c", "owner/.git", "owner/na me", "--/x"])
def test_what_is_no_name_of_a_repository_is_refused(hub, name):
    assert "is no name of a repository: it is written OWNER/NAME" in refused(name)
    assert hub.asked == []


def test_two_programs_do_not_fetch_the_same_at_once(hub, cache):
    lock = cache / ".locks" / "models--Qwen--Qwen-Audio" / "tongchuan.lock"
    lock.parent.mkdir(parents=True)
    with filelock.FileLock(lock):
        assert "is being fetched by another program" in refused()
    fetch(NAME)


def test_the_host_is_told_nothing_of_this_computer_and_no_token(hub):
    fetch(NAME)
    assert len(hub.agents) > 5
    assert not [agent for agent in hub.agents if "torch" in agent]
    assert hub.tokens == set()
