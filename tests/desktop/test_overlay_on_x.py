"""The overlay on a real X screen, with a window manager and a compositor. Pictures of it are kept in test-results/."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from xvfb import XScreen, missing_programs, wait_until, x_screen

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHOTS = ROOT / "test-results"
WIDTH, HEIGHT = 1280, 720

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing_programs()), reason=f"not installed: {', '.join(missing_programs())}"),
]

Rectangle = tuple[int, int, int, int]


@dataclass
class Program:
    """A program with a window on the screen."""

    process: subprocess.Popen[str]
    screen: XScreen
    title: str

    def say(self, scene: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(scene + "\n")
        self.process.stdin.flush()
        self.wait_for(f"said {scene}")

    def wait_for(self, line: str) -> None:
        assert self.process.stdout is not None
        for said in self.process.stdout:
            if said.strip() == line:
                return
        raise AssertionError(f"the program ended before it said {line!r}")

    def window(self) -> str:
        return self.screen.run("xdotool", "search", "--onlyvisible", "--name", f"^{self.title}$").split()[-1]

    def rectangle(self) -> Rectangle:
        shell = self.screen.run("xdotool", "getwindowgeometry", "--shell", self.window())
        values = dict(line.split("=") for line in shell.splitlines())
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])


@contextmanager
def running(screen: XScreen, script: str, title: str, home: Path, *arguments: str) -> Iterator[Program]:
    command = [sys.executable, str(HERE / script), *arguments]
    environment = screen.environment | {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(home)}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Program(process, screen, title)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def overlay(screen: XScreen, home: Path) -> Iterator[Program]:
    with running(screen, "overlay_program.py", "Tongchuan", home, "28", "0.7", str(home / "kept")) as program:
        program.wait_for("started")
        yield program


@contextmanager
def backdrop(screen: XScreen, home: Path, *colour: str) -> Iterator[Program]:
    with running(screen, "backdrop.py", "Backdrop", home, *colour) as program:
        program.wait_for("shown")
        wait_until(lambda: active(screen) == "Backdrop", "the backdrop's focus")
        yield program


def active(screen: XScreen) -> str:
    try:
        return screen.run("xdotool", "getactivewindow", "getwindowname")
    except subprocess.CalledProcessError:
        return ""  # none has been active yet


def part(pixels: bytes, rectangle: Rectangle, width: int = WIDTH) -> bytes:
    """The rows of a picture that lie within a rectangle, cut to it."""
    x, y, w, h = rectangle
    return b"".join(pixels[3 * (row * width + x) : 3 * (row * width + x + w)] for row in range(y, y + h))


def share_of(pixels: bytes, colour: tuple[int, int, int]) -> float:
    """How much of a picture has exactly one colour."""
    whole = [pixels[index : index + 3] for index in range(0, len(pixels), 3)]
    return whole.count(bytes(colour)) / len(whole)


@pytest.fixture(scope="module")
def screen() -> Iterator[XScreen]:
    with x_screen(f"{WIDTH}x{HEIGHT}") as running_screen:
        yield running_screen


@pytest.mark.parametrize(
    "scene",
    ["loading", "listening", "two", "growing", "meeting", "long-en", "long-zh", "uncertain", "paused", "error"],
)
def test_each_scene_changes_the_overlay_and_nothing_else(screen: XScreen, tmp_path: Path, scene: str) -> None:
    with backdrop(screen, tmp_path), overlay(screen, tmp_path) as program:
        box = program.rectangle()
        before = screen.screenshot(tmp_path / "before.png")
        program.say(scene)
        wait_until(lambda: part(shot(screen, tmp_path), box) != part(before, box), f"a picture of {scene}")
        after = screen.screenshot(SHOTS / f"overlay-{scene}.png")
        assert program.rectangle() == box
        above = (0, 0, WIDTH, box[1])
        assert part(after, above) == part(before, above)


def shot(screen: XScreen, folder: Path) -> bytes:
    screen.run("import", "-window", "root", "-depth", "8", str(folder / "now.png"))
    return screen.pixels(folder / "now.png")


def test_it_lets_the_background_shine_through(screen: XScreen, tmp_path: Path) -> None:
    seen = []
    for colour in ("#ffffff", "#000000"):
        with backdrop(screen, tmp_path, colour), overlay(screen, tmp_path) as program:
            program.say("meeting")
            seen.append(part(screen.screenshot(SHOTS / f"overlay-on-{colour[1:]}.png"), program.rectangle()))
    light, dark = (max(share_of(each, (grey, grey + 3, grey + 7)) for grey in range(256 - 7)) for each in seen)
    assert seen[0] != seen[1]
    assert light < 0.99
    assert dark < 0.99


def test_it_stays_above_another_program_s_full_screen(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        program.say("meeting")
        box = program.rectangle()
        with backdrop(screen, tmp_path, "#ffeeee") as below:
            screen.run("xdotool", "windowactivate", "--sync", below.window(), "windowraise", below.window())
            seen = screen.screenshot(SHOTS / "overlay-over-full-screen.png")
            assert share_of(part(seen, (0, 0, WIDTH, 100)), (255, 238, 238)) == 1.0
            assert share_of(part(seen, box), (255, 238, 238)) < 0.05


def test_clicking_it_takes_no_focus(screen: XScreen, tmp_path: Path) -> None:
    with backdrop(screen, tmp_path), overlay(screen, tmp_path) as program:
        x, y, width, height = program.rectangle()
        screen.run("xdotool", "mousemove", str(x + width // 2), str(y + height // 2), "click", "1")
        screen.screenshot(tmp_path / "after.png")
        assert active(screen) == "Backdrop"


def drag(screen: XScreen, program: Program, by_x: int, by_y: int) -> None:
    x, y, width, height = program.rectangle()
    grip = x + width // 2, y + height // 2
    screen.run("xdotool", "mousemove", *map(str, grip), "mousedown", "1")
    for step in range(1, 5):
        to = max(0, grip[0] + by_x * step // 4), max(0, grip[1] + by_y * step // 4)
        screen.run("xdotool", "mousemove", *map(str, to))
    screen.run("xdotool", "mouseup", "1")


def test_it_is_dragged_to_the_pixel_and_found_there_again(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        x, y, width, height = program.rectangle()
        drag(screen, program, -150, -220)
        wait_until(lambda: program.rectangle() == (x - 150, y - 220, width, height), "the drag")
        wait_until((tmp_path / "tongchuan" / "windows.json").exists, "the file of places")
    with overlay(screen, tmp_path) as program:
        assert program.rectangle() == (x - 150, y - 220, width, height)


def test_it_cannot_be_dragged_off_the_screen(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        _, _, width, height = program.rectangle()
        drag(screen, program, -2000, -2000)
        wait_until(lambda: program.rectangle() == (0, 0, width, height), "the drag to the corner")


def test_it_comes_back_from_a_screen_that_went_away(tmp_path: Path) -> None:
    with ExitStack() as stack:
        wide = stack.enter_context(x_screen("2304x768"))
        wide.run("xrandr", "--setmonitor", "LEFT", "1280/338x720/190+0+0", "screen")
        wide.run("xrandr", "--setmonitor", "RIGHT", "1024/270x768/203+1280+0", "none")
        program = stack.enter_context(overlay(wide, tmp_path))
        program.say("meeting")
        drag(wide, program, 1000, -100)
        wait_until(lambda: program.rectangle()[0] >= 1280, "the drag to the right-hand screen")
        there = program.rectangle()
        wide.run("xrandr", "--delmonitor", "RIGHT")
        wait_until(lambda: is_inside(program.rectangle(), 1280, 768), "the return to the screen that is left")
        wide.run("xrandr", "--setmonitor", "RIGHT", "1024/270x768/203+1280+0", "none")
        wait_until(lambda: program.rectangle()[:2] == there[:2], "the return to the screen that came back")


def is_inside(rectangle: Rectangle, width: int, height: int) -> bool:
    x, y, w, h = rectangle
    return x >= 0 and y >= 0 and x + w <= width and y + h <= height


def open_menu(screen: XScreen, program: Program) -> None:
    """Open the menu above the overlay's text and wait until it is there."""
    find = ("xdotool", "search", "--onlyvisible", "--class", "tongchuan")
    wait_until(lambda: len(screen.run(*find).split()) == 1, "the end of the menu before")
    x, y, _, _ = program.rectangle()
    # To and fro: a pointer that stands where the last menu was has not entered the overlay again yet.
    screen.run("xdotool", "mousemove", str(x + 20), str(y - 40), "sleep", "0.1")
    screen.run("xdotool", "mousemove", str(x + 300), str(y + 20), "sleep", "0.1", "click", "3")
    wait_until(lambda: len(screen.run(*find).split()) > 1, "the menu")


def test_the_menu_pauses_resumes_and_quits(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        program.say("meeting")
        for command in ("Pause()", "Resume()"):
            open_menu(screen, program)
            screen.screenshot(SHOTS / f"overlay-menu-{command[:-2].lower()}.png")
            screen.run("xdotool", "key", "Down", "Return")
            program.wait_for(f"command {command}")
        open_menu(screen, program)
        screen.run("xdotool", "key", "Up", "Return")
        program.wait_for("command Stop()")
        assert program.process.wait(10) == 0


def test_a_letter_chooses_in_the_open_menu(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        program.say("meeting")
        for key, command in (("m", "AddMark(label='')"), ("r", "Replay(lane=None)"), ("p", "Pause()")):
            open_menu(screen, program)
            screen.run("xdotool", "key", key)
            program.wait_for(f"command {command}")


def test_a_double_right_click_opens_the_menu_and_leaves_it_open(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        program.say("meeting")
        for _ in range(3):
            open_menu(screen, program)
            screen.run("xdotool", "key", "Escape")
            open_menu(screen, program)  # at the same place, within the time of a double click
            screen.run("xdotool", "key", "m")
            program.wait_for("command AddMark(label='')")


def test_ctrl_c_ends_it(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        program.process.send_signal(signal.SIGINT)
        program.wait_for("command Stop()")
        assert program.process.wait(10) == 130


def test_an_error_is_clicked_away(screen: XScreen, tmp_path: Path) -> None:
    with overlay(screen, tmp_path) as program:
        program.say("error")
        screen.screenshot(tmp_path / "error.png")
        assert program.process.poll() is None
        x, y, _, _ = program.rectangle()
        screen.run("xdotool", "mousemove", str(x + 200), str(y + 60), "click", "1")
        assert program.process.wait(10) == 1


def test_a_display_that_answers_is_a_screen(screen: XScreen) -> None:
    check = "import sys, ui.screen; sys.exit(not ui.screen.has_screen())"
    done = subprocess.run([sys.executable, "-c", check], env=screen.environment, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0
