from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from working import NamedPipe


@pytest.fixture
def log_pipe(tmp_path: Path) -> Iterator[NamedPipe]:
    pipe = NamedPipe(tmp_path)
    yield pipe
    pipe.close()
