import pytest
import torch

from models.qwen_audio import device
from models.qwen_audio.device import limit_threads


@pytest.fixture
def sixteen_cores(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(device, "_available_cores", lambda: 16)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("sixteen_cores")
def test_a_small_model_computes_in_one_thread():
    assert limit_threads(8_000_000) == 1
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("sixteen_cores")
def test_a_large_model_leaves_two_cores_to_others():
    assert limit_threads(8_000_000_000) == 14
    assert torch.get_num_threads() == 14


def test_two_cores_leave_one_thread_to_a_large_model(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(device, "_available_cores", lambda: 2)
    assert limit_threads(8_000_000_000) == 1
    torch.set_num_threads(before)
