"""`tongchuan bench`: how fast this computer does what people wait for."""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from live.events import Caption, Line, Word
from models.base import SAMPLE_RATE
from models.memory import size_text
from ui.commands import bench_capture, bench_echo, bench_live, bench_model, bench_vad
from ui.commands.options import Commands, add_command
from ui.exits import DONE
from ui.saying import say

if TYPE_CHECKING:
    from live.recording.library import Library

SESSIONS, CAPTIONS = 1000, 1000
REPEATS = 20
QUESTIONS = ("预算", "算", "预算方案", "budget", "budget quarter", "项", "zeppelin", "热气球")
"""Common and rare, of one, two and more hanzi, of one and two words; the last two are in one caption each."""
_CAPTION_S = 6
_ZH_WORDS = (
    "我们 今天 讨论 预算 方案 市场 客户 项目 进度 团队 产品 质量 成本 增长 季度 收入 投资 亚洲 欧洲 办公室 会议 决定 "
    "时间 计划 合同 供应 问题 建议 数据 系统 软件 测试 发布 版本 安全 服务 支持 培训 员工 经理 部门 财务 销售 目标"
)
_EN_WORDS = (
    "we today discuss the budget plan for market customer project schedule team product quality cost growth quarter "
    "revenue investment asia europe office meeting decision time contract supply problem proposal data system software "
    "test release version security service support training staff manager department finance sales target and of in"
)


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(commands, "bench", run_library, "measure how fast this computer does what people wait for")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    library = actions.add_parser(
        "library",
        help="list and search many long sessions",
        description="Make many long sessions in a temporary folder, list and search them, and print how long it took.",
        allow_abbrev=False,
    )
    library.add_argument("--sessions", type=int, default=SESSIONS, metavar="N", help=f"sessions ({SESSIONS})")
    library.add_argument("--captions", type=int, default=CAPTIONS, metavar="N", help=f"captions in each ({CAPTIONS})")
    library.set_defaults(run=run_library)
    bench_model.add_parser(actions)
    bench_live.add_parser(actions)
    bench_echo.add_parser(actions)
    bench_vad.add_parser(actions)
    bench_capture.add_parser(actions)


def run_library(arguments: argparse.Namespace) -> int:
    """Measure the library.

    Raises:
        LiveError: the temporary folder cannot be written.
    """
    from live.recording.library import INDEX_NAME, Library

    with tempfile.TemporaryDirectory(prefix="tongchuan-bench-") as folder:
        root = Path(folder)
        say(f"Writing {arguments.sessions} sessions of {arguments.captions} captions to {root} ...")
        _write(root, arguments.sessions, arguments.captions)
        library = Library(root)
        say("Making the index ...")
        _print("index made anew", [_timed(library.sessions)])
        print(f"{'index on the disk':24}  {size_text((root / INDEX_NAME).stat().st_size)}")
        library.close()
        _print("first list of a program", [_timed(lambda: _listed_anew(root))])
        library = Library(root)
        _print("list", [_timed(library.sessions) for _ in range(REPEATS)])
        for question in QUESTIONS:
            _search(library, question)
        library.close()
    return DONE


def _listed_anew(root: Path) -> None:
    from live.recording.library import Library

    library = Library(root)
    library.sessions()
    library.close()


def _search(library: Library, question: str) -> None:
    n_found = len(library.search(question))
    times = [_timed(lambda: library.search(question)) for _ in range(REPEATS)]
    _print(f"search {question}", times, f"{n_found} shown")


def _print(what: str, times_s: list[float], note: str = "") -> None:
    if len(times_s) == 1:
        figures = f"{1000 * times_s[0]:.0f} ms"
    else:
        figures = f"median {1000 * statistics.median(times_s):.0f} ms, worst {1000 * max(times_s):.0f} ms"
    print("  ".join(filter(None, (f"{what:24}", figures, note))))
    sys.stdout.flush()


def _timed(job: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    job()
    return time.perf_counter() - start_s


def _write(root: Path, n_sessions: int, n_captions: int) -> None:
    """Sessions of random words, the same each time."""
    from live.files import OWNER_ONLY_FOLDER, replace_private
    from live.recording.journal import JOURNAL_NAME
    from live.recording.records import CaptionSettled, encode
    from live.recording.session_info import NAME_FORMAT, SessionInfo, write_info

    chance = random.Random(8)
    first = datetime(2026, 1, 1, 9).astimezone()
    for number in range(n_sessions):
        info = SessionInfo(first + timedelta(hours=7 * number), title=f"Meeting {number + 1}", model="bench")
        folder = root / info.began.strftime(NAME_FORMAT)
        folder.mkdir(mode=OWNER_ONLY_FOLDER)
        write_info(folder, info)
        texts = [_texts(chance) for _ in range(n_captions)]
        if number == n_sessions // 2:
            texts[-1] = (f"{texts[-1][0]} zeppelin", f"{texts[-1][1]}热气球")
        lines = [encode(CaptionSettled(_caption(n, *pair), model="bench")) for n, pair in enumerate(texts, 1)]
        replace_private(folder / JOURNAL_NAME, b"".join(lines))


def _texts(chance: random.Random) -> tuple[str, str]:
    translation = " ".join(chance.choices(_EN_WORDS.split(), k=chance.randint(6, 18)))
    return translation, "".join(chance.choices(_ZH_WORDS.split(), k=chance.randint(4, 12)))


def _caption(number: int, translation: str, transcript: str) -> Caption:
    start = number * _CAPTION_S * SAMPLE_RATE
    return Caption(
        id=number,
        lane="microphone",
        source="zh",
        target="en",
        translation=Line(tuple(Word(f" {word}") for word in translation.split())),
        transcript=Line((Word(transcript, start, start + SAMPLE_RATE),)),
        start=start,
        end=start + (_CAPTION_S - 1) * SAMPLE_RATE,
        logprob=-0.25,
        is_uncertain=False,
        is_final=True,
    )
