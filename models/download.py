"""A checkpoint from a repository of the hub into its cache, whole or not at all.

In: a repository's name. Out: the folder with its files. huggingface_hub does the work and names the host, the cache and
the account: HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE and HF_TOKEN mean what they mean to it. Besides, a file that breaks
off goes on where it stopped, and each is compared with the sum that the hub gives. This is the one connection that the
program ever makes, and only when a user asks for a model. Loading it is not this module's business.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import filelock

from models.checkpoint_files import (
    CONFIG,
    INDEX,
    WEIGHTS,
    BrokenFileError,
    has_only_pickles,
    is_whole,
    missing_vocabulary,
    problem,
    read_kind,
    shards,
    small_files,
)
from models.hub_errors import DownloadError, converted
from models.memory import size_text

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

_TIMEOUT_S = 30.0
_REVISION = "main"
_SPARE_BYTES = 200_000_000
"""Room left on the disk for everything else."""
_ETAG = re.compile(r"[\w-]{1,128}")
"""What a file in the cache may be called."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How far a checkpoint has come."""

    done_bytes: int
    total_bytes: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.done_bytes / self.total_bytes if self.total_bytes else 1.0


@dataclass(frozen=True, slots=True)
class _Remote:
    """A file as the hub lists it."""

    name: str
    size: int
    sha256: str | None
    """Of its content; None for a small file, which git keeps itself."""
    git_sha1: str | None


def endpoint() -> str:
    """The address fetched from."""
    return str(_constants().ENDPOINT)


def cache_folder() -> Path:
    """Where the hub's files are kept."""
    return Path(_constants().HF_HUB_CACHE)


def cached_folder(repository: str) -> Path | None:
    """Where a repository's files lie on this computer, all of them or not; None where there are none. No connection."""
    _constants()
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(repository, CONFIG, cache_dir=cache_folder())
    except (HFValidationError, OSError):
        return None
    return Path(path).parent if isinstance(path, str) else None


def fetch(repository: str, progress: Callable[[Fetched], None] = lambda _: None) -> Path:
    """Bring a checkpoint's files here, from where an earlier attempt stopped; without a connection if all are here.

    Args:
        repository: OWNER/NAME.
        progress: told how far it is, from this thread.

    Returns:
        The folder with its files, every one whole.

    Raises:
        DownloadError: it cannot be had; what was fetched is kept for the next attempt.
    """
    here = cached_folder(repository)
    if here is not None and is_whole(here):
        return here
    with converted(repository, endpoint(), str(cache_folder())):
        here = _Fetch(repository, progress).run()
    if clause := problem(here):
        raise DownloadError(f"{repository} is not a whole checkpoint: {clause}.")
    return here


class _Fetch:
    """One attempt."""

    def __init__(self, repository: str, progress: Callable[[Fetched], None]) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.file_download import repo_folder_name
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        self._repository = repository
        self._progress = progress
        # Compressed on the way, a file could not go on where it stopped.
        self._headers: dict[str, str] = build_hf_headers() | {"Accept-Encoding": "identity"}
        self._api = HfApi(endpoint=endpoint())
        name = repo_folder_name(repo_id=repository, repo_type="model")
        self._blobs = cache_folder() / name / "blobs"
        self._lock = cache_folder() / ".locks" / name / "tongchuan.lock"
        self._revision = _REVISION
        self._done = 0
        self._total = 0

    def run(self) -> Path:
        """Fetch what is missing; returns the folder."""
        listed = self._list()
        _check_listing(self._repository, listed)
        for folder in (self._blobs, self._lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(self._lock, timeout=0):
                return self._fetch(listed)
        except filelock.Timeout as error:
            raise DownloadError(f"{self._repository} is being fetched by another program: wait for it.") from error

    def _fetch(self, listed: Mapping[str, _Remote]) -> Path:
        from huggingface_hub import hf_hub_download

        # The config comes first and alone: a checkpoint of another kind costs a kilobyte.
        self._check_kind(self._file(listed[CONFIG]))
        names = small_files(listed)
        names += self._shards(listed) if INDEX in listed else [WEIGHTS]
        self._total = sum(listed[name].size for name in names)
        self._check_room([listed[name] for name in names])
        for name in names:
            self._file(listed[name])
            self._done += listed[name].size
        # Names this state the newest one, by which it is found again without a connection.
        config = hf_hub_download(
            self._repository, CONFIG, revision=_REVISION, endpoint=endpoint(), cache_dir=cache_folder()
        )
        return Path(config).parent

    def _list(self) -> dict[str, _Remote]:
        try:
            info: ModelInfo = self._api.model_info(
                self._repository, revision=_REVISION, files_metadata=True, timeout=_TIMEOUT_S
            )
            self._revision = str(info.sha)
            return {file.name: file for file in _remotes(info)}
        except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError) as error:
            raise DownloadError(
                f"{endpoint()} answers with something else than a list of files (a page to log in?): check the "
                "connection, and HF_ENDPOINT if it is set."
            ) from error

    def _shards(self, listed: Mapping[str, _Remote]) -> list[str]:
        """The index and the files of weights that it names."""
        try:
            names = shards(self._file(listed[INDEX]))
        except BrokenFileError as error:
            raise DownloadError(f"{self._repository} cannot be used: {error}.") from error
        if lost := [name for name in names if name not in listed]:
            raise DownloadError(f"{self._repository} cannot be used: its index names {lost[0]}, which is not there.")
        return [INDEX, *names]

    def _check_kind(self, config: Path) -> None:
        try:
            kind = read_kind(config)
        except BrokenFileError as error:
            raise DownloadError(f"{self._repository} cannot be used: {error}.") from error
        if not kind:
            raise DownloadError(f"{self._repository} is no checkpoint of the Qwen-Audio family: check the name.")

    def _check_room(self, files: list[_Remote]) -> None:
        """Raises DownloadError where the disk has no room for what is still to come."""
        needed = sum(file.size - self._n_here(file) for file in files)
        free = shutil.disk_usage(self._blobs).free
        if needed and free < needed + _SPARE_BYTES:
            raise DownloadError(
                f"{self._repository} needs {size_text(needed)} more on the disk of {cache_folder()}, and "
                f"{size_text(free)} are free: make room, or name another place by HF_HOME."
            )

    def _n_here(self, file: _Remote) -> int:
        """Bytes of a file that are here, at most its size."""
        name = file.sha256 or file.git_sha1 or ""
        blob = self._blobs / name
        sizes = [path.stat().st_size for path in (blob, _part(blob)) if name and path.is_file()]
        return min(max(sizes, default=0), file.size)

    def _file(self, file: _Remote) -> Path:
        """One file, from where it stopped; returns where it lies in the cache."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

        here = try_to_load_from_cache(self._repository, file.name, revision=self._revision, cache_dir=cache_folder())
        if isinstance(here, str):
            if Path(here).stat().st_size == file.size:
                self._tell(file.size)
                return Path(here)
            _remove(Path(here))  # cut short by something else than a fetch, which never leaves a file so
        url = hf_hub_url(self._repository, file.name, revision=self._revision, endpoint=endpoint())
        found = get_hf_file_metadata(url, headers=self._headers, timeout=_TIMEOUT_S, endpoint=endpoint())
        if not found.commit_hash or not _ETAG.fullmatch(found.etag or ""):
            raise DownloadError(
                f"{endpoint()} does not speak the hub's language, it sends {file.name} without its name and state: "
                "check HF_ENDPOINT if it is set."
            )
        blob = self._blobs / str(found.etag)
        if not blob.is_file() or blob.stat().st_size != file.size:
            self._stream(url, file, blob)
        named = Path(
            hf_hub_download(  # finds the file there, and puts it under its own name
                self._repository, file.name, revision=self._revision, endpoint=endpoint(), cache_dir=cache_folder()
            )
        )
        if not named.is_symlink():  # where links are not allowed it is a copy: one is enough
            blob.unlink(missing_ok=True)
        return named

    def _stream(self, url: str, file: _Remote, blob: Path) -> None:
        """Write a file's bytes beside its place, compare their sum, then move it there."""
        from huggingface_hub.file_download import http_get

        part = _part(blob)
        with part.open("ab") as sink:
            if sink.tell() > file.size:
                sink.truncate(0)
            http_get(
                url,
                sink,
                resume_size=sink.tell(),
                headers=self._headers,
                expected_size=file.size,
                displayed_filename=file.name,
                tqdm_class=_Meter(self._tell),  # type: ignore[arg-type]  # called as a class is
            )
        if not _is_as_listed(part, file):
            part.unlink()
            raise DownloadError(
                f"{file.name} of {self._repository} came other than it was published, and was put away: try again; if "
                "that does not help, use another connection or HF_ENDPOINT."
            )
        part.replace(blob)

    def _tell(self, n_bytes: int) -> None:
        """Report how many bytes of the present file are here."""
        if self._total:
            self._progress(Fetched(min(self._done + n_bytes, self._total), self._total))


class _Meter:
    """What huggingface_hub tells its progress to: stands for a class of bars and for the one bar of it."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._n = 0

    def __call__(self, *, initial: int = 0, **_looks: object) -> _Meter:
        self._n = initial
        self._tell(self._n)
        return self

    def __enter__(self) -> _Meter:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def update(self, n: int) -> None:
        """Take so many bytes more; fewer than none where a file begins again."""
        self._n += n
        self._tell(self._n)


def _remotes(info: ModelInfo) -> list[_Remote]:
    """Raises TypeError where the answer lacks what the hub always says."""
    return [
        _Remote(file.rfilename, int(file.size), file.lfs.sha256 if file.lfs else None, file.blob_id)  # type: ignore[arg-type]
        for file in info.siblings or []
        if "/" not in file.rfilename
    ]


def _check_listing(repository: str, names: Mapping[str, object]) -> None:
    """Raises DownloadError where a repository is seen to be no checkpoint before anything is fetched."""
    if has_only_pickles(names):
        raise DownloadError(
            f"{repository} has its weights only as pickles, which can run any program when opened: choose one that has "
            "them as safetensors."
        )
    lacking = [CONFIG] if CONFIG not in names else []
    if INDEX not in names and WEIGHTS not in names:
        lacking.append(f"weights ({WEIGHTS} or {INDEX})")
    if not lacking and (vocabulary := missing_vocabulary(names)):
        lacking.append(vocabulary)
    if lacking:
        raise DownloadError(f"{repository} is no checkpoint, it has no {lacking[0]}: check the name.")


def _is_as_listed(path: Path, file: _Remote) -> bool:
    """Compare a file's content with the sum that the hub gave: SHA-256 of a large file, git's own of a small one."""
    if path.stat().st_size != file.size:
        return False
    with path.open("rb") as content:
        if file.sha256:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
        if file.git_sha1:
            named = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
            named.update(content.read())
            return named.hexdigest() == file.git_sha1
    return True


def _remove(path: Path) -> None:
    """A file of the cache and the content that it points to."""
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _part(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}.part")


def _constants() -> ModuleType:
    """huggingface_hub's own settings, read from the environment when it is first imported."""
    from huggingface_hub import constants
    from huggingface_hub.utils import logging

    constants.HF_HUB_DISABLE_TELEMETRY = True  # no list of this computer's libraries goes along
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what it retries is no news to a user who watches a bar
    return constants
