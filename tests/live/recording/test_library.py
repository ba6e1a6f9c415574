"""The library: found in both languages, corrected with the original kept, deleted without a trace."""

import errno
import os
import stat
import sys

import pytest
from session_folders import caption, mark, session_folder

from live.errors import RecordingError
from live.recording.folder import SessionFolder
from live.recording.journal import JOURNAL_NAME, read
from live.recording.library import COMMIT_EVERY, INDEX_NAME, Library
from live.recording.session_info import FILE_NAME, VERSION


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "sessions"
    session_folder(
        root,
        caption(1, 1, 3, "The budget is fifteen percent.", "预算是百分之十五。"),
        caption(2, 5, 7, "好，我们开始吧。", "Good, let us start.", direction=("en", "zh")),
        mark(6, "Decision"),
        title="Kick-off",
    )
    session_folder(root, caption(1, 2, 4, "The Café closes at 8.", "咖啡馆八点关门。"), days=1)
    session_folder(
        root, caption(7, 2, 4, "Budgets of 2027 算.", "明年的预算，预先算好。"), title="财务 Finance", days=2
    )
    return root


@pytest.fixture
def library(root):
    library = Library(root)
    yield library
    library.close()


def found(library, text):
    return [(each.folder[:10], each.caption) for each in library.search(text)]


KICK_OFF, CAFE, FINANCE = "2026-11-22", "2026-11-23", "2026-11-24"


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("预算", [(FINANCE, 7), (KICK_OFF, 1)]),
        ("算", [(FINANCE, 7), (KICK_OFF, 1)]),
        ("百分之十五", [(KICK_OFF, 1)]),
        ("百分 十五", [(KICK_OFF, 1)]),
        ("预先算", [(FINANCE, 7)]),
        ("预算好", []),
        ("算预", []),
        ("budget", [(FINANCE, 7), (KICK_OFF, 1)]),
        ("BUDGET percent", [(KICK_OFF, 1)]),
        ("bu", []),
        ("cafe", [(CAFE, 1)]),
        ("Café", [(CAFE, 1)]),
        ("8", [(CAFE, 1)]),
        ("２０２７", [(FINANCE, 7)]),
        ("let us", [(KICK_OFF, 2)]),
        ("我们 good", [(KICK_OFF, 2)]),
        ("财务", [(FINANCE, None)]),
        ("finance", [(FINANCE, None)]),
        ("kick off", [(KICK_OFF, None)]),
        ('budget" OR "*', []),
        ("nothing of the kind", []),
    ],
)
def test_words_and_hanzi_are_found_in_both_languages_newest_session_first(library, text, hits):
    assert found(library, text) == hits


@pytest.mark.parametrize("text", ["", "  ", "，。", '-- * "'])
def test_a_question_without_words_is_refused(library, text):
    with pytest.raises(RecordingError, match="nothing to search for"):
        library.search(text)


def test_only_so_many_are_found_and_within_a_session_by_time(tmp_path):
    session_folder(tmp_path, *(caption(number, number, number + 1, "Yes.") for number in range(1, 20)))
    library = Library(tmp_path)
    assert [each.caption for each in library.search("yes", most=3)] == [17, 18, 19]
    library.close()


def test_the_list_is_newest_first_with_titles_sizes_and_lengths(library, root):
    sessions = library.sessions()
    assert [session.known.title for session in sessions] == ["财务 Finance", "", "Kick-off"]
    assert [session.known.n_captions for session in sessions] == [1, 1, 2]
    assert sessions[-1].known.end == 7 * 16_000
    assert sessions[0].n_bytes == sum(path.stat().st_size for path in sessions[0].folder.iterdir())


def test_ten_gigabytes_of_sound_are_weighed_and_not_read(library, root):
    folder = root / library.sessions()[0].name / "audio"
    folder.mkdir()
    with (folder / "microphone-001.opus").open("wb") as file:
        file.truncate(10 * 2**30)  # a hole: it takes no room, and reading it would take minutes
    (folder / "microphone-001.opus").chmod(0)
    assert library.sessions()[0].n_bytes > 10 * 2**30
    assert [session.size_text for session in library.sessions()] == ["10.7 GB", "1 kB", "1 kB"]


def test_what_changed_is_found_at_the_next_question(library, root):
    assert found(library, "tomorrow") == []
    folder = library.find("Kick-off")
    writing = SessionFolder.open(folder)
    from live.recording.records import CaptionSettled

    writing.add(CaptionSettled(caption(3, 9, 10, "Until tomorrow.", "明天见。")))
    writing.add(CaptionSettled(caption(1, 1, 3, "The plan.", "计划。")))
    writing.close()
    assert found(library, "tomorrow") == [(KICK_OFF, 3)]
    assert found(library, "百分之十五") == []
    assert found(library, "计划") == [(KICK_OFF, 1)]
    session_folder(root, caption(1, 1, 2, "See you tomorrow."), days=3)
    assert found(library, "tomorrow") == [("2026-11-25", 1), (KICK_OFF, 3)]


def test_unchanged_sessions_are_not_read_again(library, monkeypatch):
    library.search("预算")

    def never(_):
        raise AssertionError("a session was read that has not changed")

    monkeypatch.setattr("live.recording.library.read", never)
    assert found(library, "预算") == [(FINANCE, 7), (KICK_OFF, 1)]
    library.sessions()


def test_an_indexing_cut_short_keeps_what_was_done(tmp_path, monkeypatch):
    for day in range(COMMIT_EVERY + 1):
        session_folder(tmp_path, caption(1, 1, 2, "Yes."), days=day)
    taken = []

    def cut_short(folder):
        if len(taken) == COMMIT_EVERY:
            raise KeyboardInterrupt
        taken.append(folder)
        return read(folder)

    monkeypatch.setattr("live.recording.library.read", cut_short)
    library = Library(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        library.search("yes")
    library.close()
    monkeypatch.setattr("live.recording.library.read", lambda folder: taken.append(folder) or read(folder))
    library = Library(tmp_path)
    assert len(library.search("yes", most=1000)) == COMMIT_EVERY + 1
    assert len(taken) == COMMIT_EVERY + 1
    library.close()


def test_the_index_is_for_its_owner_alone(library, root):
    library.search("预算")
    if sys.platform != "win32":
        assert stat.S_IMODE((root / INDEX_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, None])
def test_a_broken_index_is_made_anew(root, damage):
    library = Library(root)
    library.search("预算")
    library.close()
    path = root / INDEX_NAME
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096) if damage is None else damage)
    library = Library(root)
    assert found(library, "预算") == [(FINANCE, 7), (KICK_OFF, 1)]
    assert found(library, "算") == [(FINANCE, 7), (KICK_OFF, 1)]
    library.close()


def test_an_index_of_another_version_is_made_anew(root):
    import sqlite3

    base = sqlite3.connect(root / INDEX_NAME)
    base.execute("CREATE TABLE other (a)")
    base.execute("PRAGMA user_version = 99")
    base.close()
    library = Library(root)
    assert found(library, "cafe") == [(CAFE, 1)]
    library.close()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_where_no_index_can_be_kept_sessions_are_found_all_the_same(root, monkeypatch, number):
    def refuse(path):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("live.recording.library_index.open_private", refuse)
    library = Library(root)
    assert found(library, "cafe") == [(CAFE, 1)]
    assert not (root / INDEX_NAME).exists()
    library.close()


def test_an_index_that_another_program_writes_is_said(root, monkeypatch):
    import sqlite3

    monkeypatch.setattr("live.recording.library_index.LOCKED_S", 0.0)
    Library(root).search("cafe")
    other = sqlite3.connect(root / INDEX_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    library = Library(root)
    with pytest.raises(RecordingError, match="Another program is writing the index"):
        library.search("cafe")
    other.close()
    assert found(library, "cafe") == [(CAFE, 1)]
    library.close()


def test_no_sessions_yet_is_an_empty_library(tmp_path):
    library = Library(tmp_path / "none")
    assert library.sessions() == []
    assert library.search("预算") == []
    with pytest.raises(RecordingError, match="no sessions yet"):
        library.find("last")
    assert not (tmp_path / "none").exists()
    library.close()


@pytest.mark.parametrize(
    ("name", "day"),
    [("last", FINANCE), ("2026-11-23", CAFE), ("kick", KICK_OFF), ("KICK-OFF", KICK_OFF), ("财务", FINANCE)],
)
def test_a_session_is_meant_by_its_folder_title_or_a_part_of_them(library, name, day):
    assert library.find(name).name.startswith(day)


@pytest.mark.parametrize(
    ("name", "message"),
    [("2026", "may mean 3 sessions, such as '2026-11-24"), ("kickof", "nearest is 'Kick-off'"), ("", "no session ''")],
)
def test_a_name_that_fits_none_or_many_is_answered_with_names(library, name, message):
    with pytest.raises(RecordingError, match=message):
        library.find(name)


def test_an_edited_caption_keeps_its_original_and_its_other_language(library):
    folder = library.find("Kick-off")
    library.edit(folder, 1, translation=" The budget is 15%. ")
    entry = read(folder).entries[0]
    assert entry.caption.translation.text == "The budget is 15%."
    assert entry.caption.transcript.text == "预算是百分之十五。"
    assert entry.by == "edit"
    assert entry.original is not None
    assert entry.original.translation.text == "The budget is fifteen percent."
    assert found(library, "fifteen") == []
    assert found(library, "15") == [(KICK_OFF, 1)]
    n_lines = len((folder / JOURNAL_NAME).read_bytes().splitlines())
    library.edit(folder, 1, translation="The budget is 15%.")
    assert len((folder / JOURNAL_NAME).read_bytes().splitlines()) == n_lines


def test_a_caption_that_is_not_there_cannot_be_edited(library):
    with pytest.raises(RecordingError, match="has no caption 99"):
        library.edit(library.find("Kick-off"), 99, translation="x")


def test_a_title_may_hold_anything_a_slash_too(library):
    folder = library.find("Kick-off")
    library.rename(folder, "Q3 / 预算\n../..")
    assert library.sessions()[-1].known.title == "Q3 / 预算 ../.."
    assert library.find("q3 /") == folder


def test_what_is_deleted_is_gone_from_the_index_too(library, root):
    library.search("cafe")
    folder = library.find(CAFE)
    library.delete(folder)
    assert not folder.exists()
    assert [session.name[:10] for session in library.sessions()] == [FINANCE, KICK_OFF]
    assert found(library, "cafe") == []
    library.close()
    for file in root.glob(INDEX_NAME + "*"):
        content = file.read_bytes()
        for trace in ("Café", "cafe", "咖啡", "closes", "馆"):
            assert trace.encode() not in content
    assert "预算".encode() in (root / INDEX_NAME).read_bytes()


def test_words_that_were_corrected_leave_with_their_session(library, root):
    folder = library.find("Kick-off")
    library.search("fifteen")
    library.edit(folder, 1, translation="It is 15%.")
    assert found(library, "fift") == []
    library.delete(folder)
    library.search("cafe")
    library.close()
    assert b"fifteen" not in (root / INDEX_NAME).read_bytes()


def test_a_session_being_written_is_not_deleted(library):
    folder = library.find("Kick-off")
    writing = SessionFolder.open(folder)
    with pytest.raises(RecordingError, match="Another program is writing"):
        library.delete(folder)
    with pytest.raises(RecordingError, match="Another program is writing"):
        library.edit(folder, 1, translation="x")
    writing.close()
    library.delete(folder)
    assert not folder.exists()


@pytest.mark.skipif(not hasattr(os, "symlink") or sys.platform == "win32", reason="links need rights there")
def test_nothing_outside_the_library_is_deleted(library, root, tmp_path):
    outside = tmp_path / "outside"
    session_folder(outside, caption(1, 1, 2, "Mine."))
    inside = next(outside.iterdir())
    (root / "2026-12-01 10.00.00").symlink_to(inside)
    for folder in (inside, root / "2026-12-01 10.00.00", root, root / "no-such"):
        with pytest.raises(RecordingError, match="is no session of"):
            library.delete(folder)
    assert inside.is_dir()
    assert len(library.sessions()) == 3


def test_a_session_of_a_newer_version_and_a_damaged_one_are_listed_with_what_is_wrong(library, root):
    newer = library.find(CAFE)
    text = (newer / FILE_NAME).read_text()
    (newer / FILE_NAME).write_text(text.replace(f'"version": {VERSION}', f'"version": {VERSION + 1}'))
    damaged = library.find(FINANCE)
    with (damaged / JOURNAL_NAME).open("ab") as file:
        file.write(b'\xff\xfe nonsense\n{"kind": "cap')
    problems = {session.name[:10]: session.known.problem for session in library.sessions()}
    assert "newer version" in problems[CAFE]
    assert "cannot be read and is left out" in problems[FINANCE]
    assert problems[KICK_OFF] == ""
    assert found(library, "预算") == [(FINANCE, 7), (KICK_OFF, 1)]
    assert found(library, "cafe") == [(CAFE, 1)]
