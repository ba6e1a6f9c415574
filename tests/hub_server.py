"""A small hub on this machine: what huggingface_hub asks a hub for, and every way in which one can fail.

It serves repositories from memory as the real one does: a list of files, their names and states by HEAD, small files by
itself and large ones by a redirect to another host, parts of a file by Range.
"""

from __future__ import annotations

import hashlib
import json
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PAGE = b"<!DOCTYPE html><title>Please log in</title>"


def safetensors(n_bytes: int, name: str = "weight") -> bytes:
    """A file of weights with one tensor of so many bytes, each of its places different."""
    head = json.dumps({name: {"dtype": "U8", "shape": [n_bytes], "data_offsets": [0, n_bytes]}}).encode()
    content = hashlib.shake_128(name.encode()).digest(n_bytes)
    return struct.pack("<Q", len(head)) + head + content


def checkpoint(n_shards: int = 3, n_bytes: int = 50_000) -> dict[str, bytes]:
    """The files of a repository in the published layout of Qwen-Audio, and others that nobody needs."""
    shards = {
        f"model-{i:05}-of-{n_shards:05}.safetensors": safetensors(n_bytes, f"w{i}") for i in range(1, n_shards + 1)
    }
    index = {"weight_map": {f"w{i}": name for i, name in enumerate(shards, start=1)}}
    return {
        "config.json": json.dumps({"model_type": "qwen", "audio": {}}).encode(),
        "generation_config.json": b"{}",
        "qwen.tiktoken": b"IQ== 0\n",
        "LICENSE": b"Anyone may.\n",
        "model.safetensors.index.json": json.dumps(index).encode(),
        **shards,
        "README.md": b"# A model\n",
        "modeling_qwen.py": b"raise SystemExit('remote code')\n",
        "pytorch_model.bin": b"a pickle",
        "assets/clip.flac": b"fLaC",
    }


def write_files(files: Mapping[str, bytes], folder: Path) -> Path:
    """Lay files into a new folder; those in folders of their own are left out."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        if "/" not in name:
            (folder / name).write_bytes(content)
    return folder


@dataclass
class Hub:
    """What is served, what goes wrong, and what was asked."""

    files: dict[str, bytes] = field(default_factory=checkpoint)
    repository: str = "Qwen/Qwen-Audio"
    status: int = 200
    """Other than 200: the answer to everything."""
    error_code: str = ""
    """The hub's own word for what is wrong."""
    is_page: bool = False
    """Answers everything with a web page, as a network that wants a login does."""
    is_nameless: bool = False
    """Leaves out the names and states of files, as a plain file server does."""
    ignores_range: bool = False
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """By file: after how many bytes each of its next answers breaks off."""
    stalls: dict[str, int] = field(default_factory=dict)
    """By file: after how many bytes its answers wait without end."""
    stalled: threading.Event = field(default_factory=threading.Event)
    """Set when one does."""
    swaps: dict[str, bytes] = field(default_factory=dict)
    """By file: what is sent in its place."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, range) of each request."""
    agents: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    encodings: set[str] = field(default_factory=set)
    """What the contents of large files were asked to be compressed with."""
    address: str = ""
    store: str = ""
    """Address of the other host, from which large files come."""

    def ranges(self, name: str) -> list[str]:
        """What was asked of a file's content, one entry a request; empty for the whole of it."""
        ends = (f"/resolve/{COMMIT}/{name}", f"/cdn/{name}")
        asked = [(path, part) for method, path, part in self.asked if method == "GET" and path.endswith(ends)]
        return [part for path, part in asked if path.startswith("/cdn/") or not name.endswith(".safetensors")]

    def listing(self) -> dict[str, object]:
        siblings = []
        for name, content in self.files.items():
            entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git_sha1(content)}
            if is_large(name):
                entry["lfs"] = {"size": len(content), "sha256": sha256(content), "pointerSize": 134}
            siblings.append(entry)
        return {"id": self.repository, "sha": COMMIT, "siblings": siblings, "tags": []}


def is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_args: object) -> None:
        pass

    def _answer(self) -> None:
        hub, path = self.hub, self.path.partition("?")[0]
        hub.asked.append((self.command, path, self.headers.get("Range", "")))
        hub.agents.append(self.headers.get("User-Agent", ""))
        hub.tokens |= {token for token in [self.headers.get("Authorization")] if token}
        if hub.status != 200:
            extra = {"X-Error-Code": hub.error_code} if hub.error_code else {}
            self._send(hub.status, b"no", extra)
        elif hub.is_page:
            self._send(200, PAGE, {"Content-Type": "text/html"})
        elif path.startswith("/cdn/"):
            self._send_content(path.removeprefix("/cdn/"))
        elif path == f"/api/models/{hub.repository}/revision/main":
            self._send(200, json.dumps(hub.listing()).encode(), {"Content-Type": "application/json"})
        else:
            self._resolve(path)

    def _resolve(self, path: str) -> None:
        for revision in ("main", COMMIT):
            name = path.removeprefix(f"/{self.hub.repository}/resolve/{revision}/")
            if name in self.hub.files:
                break
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
            return
        content = self.hub.files[name]
        facts = {} if self.hub.is_nameless else {"X-Repo-Commit": COMMIT, "ETag": f'"{git_sha1(content)}"'}
        if not is_large(name):
            self._send_content(name, facts)
            return
        if not self.hub.is_nameless:
            facts |= {"X-Linked-Etag": f'"{sha256(content)}"', "X-Linked-Size": str(len(content))}
        self._send(302, b"", facts | {"Location": f"{self.hub.store}/cdn/{name}"})

    def _send_content(self, name: str, facts: dict[str, str] | None = None) -> None:
        if is_large(name):
            self.hub.encodings.add(self.headers.get("Accept-Encoding", ""))
        content = self.hub.swaps.get(name, self.hub.files[name])
        asked = self.headers.get("Range", "")
        status, start = 200, 0
        extra = dict(facts or {})
        if asked and not self.hub.ignores_range:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            status = 206
            extra["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        cut = self.hub.cuts.get(name) if self.command == "GET" else None
        stall = self.hub.stalls.get(name) if self.command == "GET" else None
        self._send(status, content[start:], extra, stall if stall is not None else cut.pop(0) if cut else None)

    def _send(self, status: int, body: bytes, facts: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in facts.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:cut])
            if cut is None:
                return
            if self.hub.stalls:
                self.hub.stalled.set()
                self.rfile.read(1)  # until the other side goes away
            self.close_connection = True


def use_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As HF_HUB_CACHE does, which huggingface_hub reads only when it is first imported; and it may connect."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


def point_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As HF_ENDPOINT does."""
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve until the end of the block; the hub's address is filled in."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    with _running(handler) as hub.address, _running(handler) as hub.store:
        yield hub


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
