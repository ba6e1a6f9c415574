"""A session's folder written: modes, locks, torn tails, disks that fail and come back, power cuts."""

from __future__ import annotations

import errno
import shutil
import stat
import subprocess
import sys

import pytest
from disks import LoggingDisk, TroubledDisk
from talks import INFO, caption, closed

from live.errors import RecordingError
from live.events import SessionStopped
from live.recording.folder import SessionFolder, is_in_use, sessions_root, unfinished
from live.recording.journal import JOURNAL_NAME, read
from live.recording.records import CaptionSettled, encode
from live.recording.session_info import FILE_NAME


def settled(number: int) -> CaptionSettled:
    return CaptionSettled(caption(number, 1000 * number), model="fake")


def ids(folder) -> list[int]:
    return [entry.caption.id for entry in read(folder).entries]


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_in_a_session_is_for_its_owner_alone(tmp_path):
    session = SessionFolder(tmp_path / "sessions", INFO)
    session.add(settled(1))
    session.flush()
    session.audio_folder()
    assert session.path == tmp_path / "sessions" / "2026-11-22 10.30.05"
    assert {mode(path) for path in [session.path.parent, session.path, session.path / "audio"]} == {0o700}
    assert {mode(path) for path in session.path.iterdir() if path.is_file()} == {0o600}
    session.close()


def test_nothing_is_made_before_there_is_something_to_write(tmp_path):
    session = SessionFolder(tmp_path / "sessions", INFO)
    session.close()
    assert not (tmp_path / "sessions").exists()


def test_a_line_can_be_read_as_soon_as_flush_returns(tmp_path):
    session = SessionFolder(tmp_path, INFO)
    for number in range(1, 4):
        session.add(settled(number))
        session.flush()
        assert ids(session.path) == list(range(1, number + 1))
    session.close()


def test_sessions_that_begin_in_the_same_second_or_after_a_clock_went_back_have_folders_of_their_own(tmp_path):
    sessions = [SessionFolder(tmp_path, INFO) for _ in range(3)]
    for number, session in enumerate(sessions):
        session.add(settled(number))
        session.flush()
    assert [session.path.name for session in sessions] == [
        "2026-11-22 10.30.05",
        "2026-11-22 10.30.05 2",
        "2026-11-22 10.30.05 3",
    ]
    assert [ids(session.path) for session in sessions] == [[0], [1], [2]]
    for session in sessions:
        session.close()


def test_a_session_that_another_one_writes_cannot_be_opened_and_is_in_use(tmp_path):
    session = SessionFolder(tmp_path, INFO)
    session.add(settled(1))
    session.flush()
    assert is_in_use(session.path)
    with pytest.raises(RecordingError, match="Another program is writing the session"):
        SessionFolder.open(session.path)
    session.close()
    assert not is_in_use(session.path)
    SessionFolder.open(session.path).close()


def test_a_lock_dies_with_its_program(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from datetime import datetime\n"
        "from live.recording.folder import SessionFolder; from live.recording.session_info import SessionInfo\n"
        "from live.events import MarkAdded\n"
        "session = SessionFolder(Path(sys.argv[1]), SessionInfo(datetime.now().astimezone()))\n"
        "session.add(MarkAdded(5)); session.flush(); os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -9
    (folder,) = unfinished(tmp_path)
    assert not is_in_use(folder)
    assert len(read(folder).marks) == 1


def test_a_session_stays_unfinished_until_all_of_it_is_translated(tmp_path):
    session = SessionFolder(tmp_path, INFO)
    session.add(closed(1, 1000))
    session.flush()
    assert unfinished(tmp_path) == []  # it is being written
    session.add(SessionStopped())
    session.close()
    assert unfinished(tmp_path) == [session.path]
    again = SessionFolder.open(session.path)
    again.add(settled(1))
    again.close()
    assert unfinished(tmp_path) == []
    assert ids(session.path) == [1]


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_what_is_added_behind_a_torn_line_is_whole(tmp_path, cut):
    session = SessionFolder(tmp_path, INFO)
    session.add(settled(1))
    session.close()
    with (session.path / JOURNAL_NAME).open("ab") as file:
        file.write(encode(settled(2))[:cut])
    again = SessionFolder.open(session.path)
    again.add(settled(3))
    again.close()
    assert set(ids(session.path)) - {2} == {1, 3}


def test_a_full_disk_keeps_whole_lines_and_takes_the_rest_when_it_can(tmp_path):
    disk = TroubledDisk()
    session = SessionFolder(tmp_path, INFO, disk)
    session.add(settled(1))
    session.flush()
    for room in (0, 7, len(encode(settled(2))) + 3):
        disk.room = room
        session.add(settled(2))
        session.add(settled(3))
        with pytest.raises(RecordingError, match=r"cannot be written to .*: No space left on device"):
            session.flush()
        assert read(session.path).warnings == ()
        assert ids(session.path) == [1]
    assert session.n_waiting == 6
    disk.room = None
    session.flush()
    assert ids(session.path) == [1, 2, 3]
    session.close()


def test_a_disk_that_does_not_sync_is_written_again(tmp_path):
    disk = TroubledDisk()
    session = SessionFolder(tmp_path, INFO, disk)
    session.add(settled(1))
    session.flush()
    session.add(settled(2))
    disk.syncs = False
    with pytest.raises(RecordingError, match="Input/output error"):
        session.flush()
    assert session.n_waiting == 1
    disk.syncs = True
    session.flush()
    assert session.n_waiting == 0
    assert ids(session.path) == [1, 2]
    session.close()


def test_a_folder_that_is_taken_away_comes_back_with_everything(tmp_path):
    session = SessionFolder(tmp_path, INFO)
    session.add(settled(1))
    session.flush()
    shutil.rmtree(session.path)
    session.add(settled(2))
    session.flush()
    assert ids(session.path) == [1, 2]
    assert read(session.path).info.title == "Budget"
    session.close()


def test_a_place_that_cannot_be_written_is_named_and_tried_again(tmp_path):
    disk = TroubledDisk()
    disk.refuses = errno.EROFS
    session = SessionFolder(tmp_path / "sessions", INFO, disk)
    session.add(settled(1))
    for _ in range(3):
        with pytest.raises(RecordingError, match=r"sessions: Read-only file system"):
            session.flush()
    disk.refuses = None
    session.flush()
    assert [path.name for path in (tmp_path / "sessions").iterdir()] == ["2026-11-22 10.30.05"]
    assert ids(session.path) == [1]
    session.close()


def test_a_folder_is_not_begun_anew_at_each_try_of_a_disk_that_fills_up_in_the_middle(tmp_path):
    disk = TroubledDisk()
    disk.room = 0
    session = SessionFolder(tmp_path, INFO, disk)
    session.add(settled(1))
    for _ in range(3):
        with pytest.raises(RecordingError):
            session.flush()
    disk.room = None
    session.flush()
    assert len(list(tmp_path.iterdir())) == 1
    assert ids(session.path) == [1]
    session.close()


def test_power_cut_at_any_moment_loses_nothing_that_was_kept_and_tears_no_line_that_is_read(tmp_path):
    disk = LoggingDisk(tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    session = SessionFolder(tmp_path / "disk" / "data" / "sessions", INFO, disk)
    for number in range(1, 4):
        session.add(closed(number, 1000 * number))
        session.add(settled(number))
        session.flush()
        disk.acknowledge(number)
    path = session.path
    session.close()
    again = SessionFolder.open(path, disk)
    again.add(settled(4))
    again.flush()
    disk.acknowledge(4)
    again.close()
    n_cuts = 0
    for copy, kept in disk.cuts(tmp_path / "cut"):
        n_cuts += 1
        folder = copy / path.relative_to(tmp_path / "disk")
        if kept:
            transcript = read(folder)
            found = {entry.caption.id: entry.caption for entry in transcript.entries}
            assert found.keys() >= set(kept)
            assert all(found[number] == caption(number, 1000 * number) for number in found)
            assert (folder / FILE_NAME).is_file()
    assert n_cuts > 40


def test_the_folder_of_all_sessions_is_the_system_s_own_or_the_one_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert sessions_root("~/talks") == tmp_path / "talks"
    if sys.platform == "linux":
        assert sessions_root() == tmp_path / "data" / "tongchuan" / "sessions"
