"""Talks on disk: kept whole, owner-only, and read as they were or not at all."""

import dataclasses
import stat

import numpy as np
import pytest

from live.evaluation.simul.kept_talks import LIST, keep, read
from tests.live.simul_captions import talk


@pytest.fixture
def talks():
    rng = np.random.default_rng(0)
    loud = np.rint(rng.uniform(-32_768, 32_767, 1600)).astype(np.float32) / np.float32(32_768)
    return tuple(
        dataclasses.replace(talk((0.0, 0.05, "甲乙"), (0.06, 0.1, "丙"), name=name), samples=loud)
        for name in ("a", "b")
    )


def test_talks_are_read_as_they_were_kept(talks, tmp_path):
    keep(talks, tmp_path / "set")
    again = read(tmp_path / "set")

    for before, after in zip(talks, again, strict=True):
        assert np.array_equal(before.samples, after.samples)
        assert dataclasses.replace(before, samples=after.samples) == after


def test_kept_talks_are_the_owners_alone(talks, tmp_path):
    keep(talks, tmp_path / "set")

    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "set").iterdir()} == {0o600}


@pytest.mark.parametrize("damage", ["sound", "list", "missing", "fields"])
def test_a_damaged_set_counts_as_none(talks, tmp_path, damage):
    keep(talks, tmp_path)
    match damage:
        case "sound":
            (tmp_path / "a.npy").write_bytes((tmp_path / "b.npy").read_bytes()[:-1])
        case "list":
            (tmp_path / LIST).write_text("{")
        case "missing":
            (tmp_path / "b.npy").unlink()
        case "fields":
            (tmp_path / LIST).write_text('[{"name": "a"}]')

    assert read(tmp_path) == ()


def test_an_empty_folder_holds_no_talks(tmp_path):
    assert read(tmp_path) == ()
