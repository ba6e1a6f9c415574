"""How much memory is free on a GPU: what the driver's tool prints, and every way in which there is none."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from models import memory
from models.memory import Gpu, NoGpu, find_gpu

MIB = 2**20
ONE = "0, GPU-aaaa1111, NVIDIA GeForce RTX 4090, 24564, 23010, 8.9\n"
TWO = "0, GPU-aaaa1111, NVIDIA T400, 2048, 1900, 7.5\n1, GPU-bbbb2222, NVIDIA H100 80GB HBM3, 81559, 81000, 9.0\n"


@pytest.fixture
def driver(monkeypatch):
    """Fakes the tool's answer, on a torch with CUDA."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(memory, "_torch_has_cuda", lambda: True)

    def answer(stdout="", returncode=0, raises=None):
        def run(command, **options):
            assert options["timeout"] > 0
            if raises:
                raise raises
            return SimpleNamespace(stdout=stdout, returncode=returncode, command=command)

        monkeypatch.setattr(memory.subprocess, "run", run)

    return answer


def test_the_free_memory_of_the_one_gpu_is_read(driver):
    driver(ONE)
    assert find_gpu() == Gpu("NVIDIA GeForce RTX 4090", 23010 * MIB)
    assert find_gpu("cuda") == find_gpu()


def test_cards_before_ampere_have_no_bfloat16(driver):
    driver("0, GPU-1, NVIDIA GeForce RTX 2080 Ti, 11264, 10900, 7.5\n")
    assert find_gpu() == Gpu("NVIDIA GeForce RTX 2080 Ti", 10900 * MIB, has_bf16=False)


def test_of_several_the_one_with_most_memory_is_taken(driver):
    driver(TWO)
    assert find_gpu() == Gpu("NVIDIA H100 80GB HBM3", 81000 * MIB)


@pytest.mark.parametrize(
    ("visible", "name"), [("0", "NVIDIA T400"), ("1", "NVIDIA H100 80GB HBM3"), ("GPU-aaaa", "NVIDIA T400")]
)
def test_a_choice_of_gpus_by_the_environment_is_kept(driver, monkeypatch, visible, name):
    driver(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert find_gpu().name == name


@pytest.mark.parametrize("visible", ["", "-1", "7"])
def test_gpus_hidden_by_the_environment_are_not_there(driver, monkeypatch, visible):
    driver(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert isinstance(find_gpu(), NoGpu)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"raises": FileNotFoundError("nvidia-smi")}, "no NVIDIA GPU was found"),
        ({"raises": subprocess.TimeoutExpired("nvidia-smi", 10)}, "does not answer"),
        ({"raises": PermissionError("nvidia-smi")}, "does not answer"),
        ({"returncode": 9, "stdout": "NVIDIA-SMI has failed"}, "finds no GPU"),
        ({"stdout": ""}, "does not say how much memory"),
        ({"stdout": "0, GPU-1, NVIDIA H100, [N/A], [N/A], 9.0\n"}, "does not say how much memory"),
        ({"stdout": "nonsense\n"}, "does not say how much memory"),
    ],
)
def test_where_there_is_none_it_says_why(driver, answer, reason):
    driver(**answer)
    found = find_gpu()
    assert isinstance(found, NoGpu)
    assert reason in found.reason


def test_a_torch_for_the_processor_alone_has_no_use_for_a_gpu(driver, monkeypatch):
    driver(ONE)
    monkeypatch.setattr(memory, "_torch_has_cuda", lambda: False)
    assert "torch computes on the processor alone" in find_gpu().reason


def test_which_torch_is_installed_is_told_by_its_files(monkeypatch, tmp_path):
    monkeypatch.setattr(
        memory.importlib.util, "find_spec", lambda _name: SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    )
    assert not memory._torch_has_cuda()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libtorch_cuda.so").touch()
    assert memory._torch_has_cuda()
    monkeypatch.setattr(memory.importlib.util, "find_spec", lambda _name: None)
    assert not memory._torch_has_cuda()


def test_a_processor_that_was_asked_for_needs_no_look_at_the_gpu(driver):
    driver(raises=AssertionError("asked"))
    assert find_gpu("cpu") == NoGpu("the processor was asked for")


def test_a_mac_s_gpu_may_fill_a_share_of_the_memory_there_is(driver, monkeypatch):
    monkeypatch.setattr(memory.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(memory.platform, "machine", lambda: "arm64")
    driver("51539607552\n")
    assert find_gpu("mps") == Gpu("the Apple GPU", 34359738368, "mps")
    driver("not a number\n")
    assert isinstance(find_gpu("mps"), NoGpu)


def test_elsewhere_there_is_no_apple_gpu(monkeypatch):
    monkeypatch.setattr(memory.platform, "system", lambda: "Linux")
    assert "no Mac" in find_gpu("mps").reason


def test_the_processor_has_what_other_programs_leave_of_main_memory(monkeypatch):
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=5 * MIB, total=9 * MIB))
    assert memory.processor().free_bytes == 5 * MIB
    assert (memory.processor().name, memory.processor().device) == ("this computer", "cpu")


def test_what_was_freed_goes_back_to_the_system():
    """By a program of its own, whose heap nothing else uses."""
    if sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("this C library has no such call")
    program = """
import psutil
from models.memory import give_back

held = [bytes(64 * 1024) for _ in range(1600)]
last = bytes(64 * 1024)
held.clear()
before = psutil.Process().memory_info().rss
give_back()
print(before - psutil.Process().memory_info().rss)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 50_000_000
