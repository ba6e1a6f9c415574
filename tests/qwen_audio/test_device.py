import pytest
import torch

from models.qwen_audio.device import limit_threads


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_a_small_model_computes_in_one_thread():
    assert limit_threads(8_000_000) == 1
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("three_threads")
def test_a_large_model_keeps_the_threads_its_process_was_given():
    assert limit_threads(8_000_000_000) == 3
    assert torch.get_num_threads() == 3
