"""Captions in the terminal: those that are final scroll, one region below shows what is being said and the status.

In: events, from any thread. Out: text on a rich Console; one plain line for each final caption where it is no terminal.
What is said at the session's end is the business of the command.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.cells import set_cell_size
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from live.audio import clock_text
from live.events import (
    Caption,
    CaptionUpdated,
    DeviceChanged,
    Event,
    MarkAdded,
    Mode,
    UtteranceFailed,
    UtteranceSkipped,
)
from live.speakers import Speakers
from ui.captions import LEVEL_STEPS, RECORDED_MARK, SKIPPED, CaptionModel, Status, View, missing_device
from ui.copying import NO_CLIPBOARD, NOTHING_TO_COPY, LastLines, copied_words, terminal_clipboard
from ui.meter import Meter

REFRESH_S = 0.1
"""Shortest time between two drawings of the region, unless a caption became final."""
TAIL_LINES = 2
"""Lines of a growing translation that show: its newest."""
TIME_WIDTH = 8
DIRECTION_WIDTH = 8
SPEAKER_WIDTH = 5
LEAST_TEXT_WIDTH = 20
METER_CELL = "━"
MARK = "⚑"
"""Stands before a moment that was marked."""

_STATUS_STYLES = {
    "working": "cyan",
    "listening": "default",
    "paused": "yellow",
    "warning": "yellow",
    "error": "bold red",
    "ended": "default",
}


class TerminalView:
    """Shows a session while it is entered. Takes events from any thread; draws in the thread that brings them."""

    def __init__(
        self,
        mode: Mode = "balanced",
        *,
        console: Console | None = None,
        aside: str = "",
        help_line: str = "",
        meter: Meter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Build it. Until it is entered, final captions alone are printed.

        Args:
            mode: How eagerly text is shown.
            console: Where to draw; standard output by default.
            aside: Words at the right of the status line, such as the direction.
            help_line: Words below it, such as the keys there are.
            meter: Lines above it, of each lane's level; None: none.
            clock: Seconds that only grow.
        """
        self.console = console or Console(highlight=False)
        self._model = CaptionModel(mode, clock=clock)
        self._lines = LastLines()
        self._speakers = Speakers()
        self._aside, self._help_line, self._meter = aside, help_line, meter
        self._clock = clock
        self._lock = threading.Lock()
        self._shown: View | None = None
        self._shown_rows: list[Text] = []
        self._drawn_s = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            # Drawn when something changed: a refresh by the clock would make an idle terminal blink.
            self._live = Live(console=self.console, auto_refresh=False, transient=True, vertical_overflow="crop")
            self._live.start()
            self._draw(self._model.view())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            live, self._live = self._live, None
        if live is not None:
            live.stop()

    def apply(self, event: Event) -> None:
        """Take an event."""
        with self._lock:
            self._model.apply(event)
            self._lines.apply(event)
            self._speakers.apply(event)
            if self._meter is not None:
                self._meter.apply(event)
            match event:
                case CaptionUpdated(caption) if caption.is_final:
                    self._scroll(caption)
                case MarkAdded(at, label):
                    self._scroll_mark(at, label)
                case UtteranceFailed(start=start, message=message):
                    self._scroll_failure(start, message)
                case UtteranceSkipped(start=start):
                    self._scroll_failure(start, SKIPPED)
                case DeviceChanged(lane, None, detail, is_wanted=True) if not self.console.is_terminal:
                    self._print_plain(f"-- {missing_device(lane, detail)}")  # a pipe has no status to read it in
            if self._live is not None:
                self._refresh()

    @property
    def is_paused(self) -> bool:
        """Whether the session is."""
        return self._model.state == "paused"

    def set_mode(self, mode: Mode) -> None:
        """Show text more or less eagerly from now on."""
        with self._lock:
            self._model.mode = mode

    def set_aside(self, words: str) -> None:
        """Set the words at the right of the status line."""
        with self._lock:
            self._aside = words

    def copy(self, n: int) -> str | None:
        """Give the newest lines to the terminal's clipboard; returns why not, where it cannot."""
        with self._lock:
            if not self.console.is_terminal:
                return NO_CLIPBOARD
            text, n_lines = self._lines.text(n)
            if not n_lines:
                return NOTHING_TO_COPY
            self.console.file.write(terminal_clipboard(text))
            self.console.file.flush()
            self._model.note(f"{copied_words(n_lines)}, if this terminal lets programs copy")
            if self._live is not None:
                self._refresh()
        return None

    def _refresh(self) -> None:
        view = self._model.view()
        is_new = view != self._shown or self._rows() != self._shown_rows
        is_same_status = self._shown is not None and view.status.text == self._shown.status.text
        is_soon = self._clock() - self._drawn_s < REFRESH_S
        if is_new and not (is_soon and is_same_status):
            self._draw(view)

    def _rows(self) -> list[Text]:
        return [] if self._meter is None else self._meter.rows(self.console.width)

    def _draw(self, view: View) -> None:
        assert self._live is not None
        self._shown, self._shown_rows, self._drawn_s = view, self._rows(), self._clock()
        self._live.update(self._region(view), refresh=True)

    def _scroll(self, caption: Caption) -> None:
        texts = [text for line in (caption.translation, caption.transcript) if (text := line.text.strip())]
        if not texts:
            return
        if not self.console.is_terminal:
            direction = f"{caption.source}→{caption.target}" + (" ?" if caption.is_uncertain else "")
            facts = (clock_text(caption.start), self._speakers.of(caption), direction)
            self._print_plain(" ".join([*filter(None, facts), " | ".join(texts)]))
            return
        if self._live is not None:
            # The caption leaves the region before it scrolls, so that it never stands there twice.
            self._draw(self._model.view())
        self.console.print(settled_row(caption, self._speakers.of(caption)))

    def _scroll_failure(self, start: int, message: str) -> None:
        if self.console.is_terminal:
            self.console.print(failed_row(start, message))
        else:
            self._print_plain(f"{clock_text(start)} -- {message}")

    def _scroll_mark(self, at: int, label: str) -> None:
        if self.console.is_terminal:
            self.console.print(mark_row(at, label))
        else:
            self._print_plain(f"{clock_text(at)} {MARK} {label}".rstrip())

    def _print_plain(self, line: str) -> None:
        """Write a line whole: a pipe has no width to wrap at."""
        self.console.print(Text(line), soft_wrap=True)
        self.console.file.flush()

    def _region(self, view: View) -> RenderableType:
        before = TIME_WIDTH + DIRECTION_WIDTH + (SPEAKER_WIDTH if any(view.speakers) else 0)
        width = max(self.console.width - before - 2, LEAST_TEXT_WIDTH)
        rows: list[RenderableType] = []
        for caption, speaker in zip(view.captions, view.speakers, strict=True):
            if not caption.is_final:
                lines = _joined(caption.translation.settled_text, caption.translation.tentative)
                tail = Text("\n").join(list(lines.wrap(self.console, width, overflow="fold"))[-TAIL_LINES:])
                source = Text(caption.transcript.text, "dim").wrap(self.console, width, overflow="fold")
                text = Text("\n").join([tail, *list(source)[-1:]])
                rows.append(_row(clock_text(caption.start), _direction(caption, speaker), text))
        rows += self._shown_rows
        rows.append(self._status_line(view))
        if self._help_line:
            rows.append(Text(self._help_line, "dim", no_wrap=True, overflow="ellipsis"))
        return Group(*rows)

    def _status_line(self, view: View) -> RenderableType:
        share = view.status.share
        n_filled = view.level if share is None else round(share * LEVEL_STEPS)
        colour = "green" if view.is_speech else "cyan" if share is not None else "default"
        line = Text.assemble(
            (METER_CELL * n_filled, colour),
            (METER_CELL * (LEVEL_STEPS - n_filled), "bright_black"),
            (f" {RECORDED_MARK} ", "red") if view.is_recorded else "  ",
            _status_words(view.status),
        )
        # Room for the ^C that terminals write at the cursor: wrapped from a full line, it would move the region.
        grid = Table.grid(expand=True)
        grid.width = max(self.console.width - len("^C") - 1, 1)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(line, Text(self._aside, "dim"))
        return grid


def settled_row(caption: Caption, speaker: str = "") -> RenderableType:
    """A final caption as it scrolls by, and who says it where that is to be shown."""
    text = Text(caption.translation.text.strip(), "bold")
    if transcript := caption.transcript.text.strip():
        text = Text("\n").join([text, Text(transcript, "dim")]) if text else Text(transcript, "dim")
    return _row(clock_text(caption.start), _direction(caption, speaker), text)


def failed_row(start: int, message: str) -> RenderableType:
    """An utterance that was given up, as it scrolls by."""
    return _row(clock_text(start), Text("--", "yellow"), Text(message, "yellow"))


def mark_row(at: int, label: str) -> RenderableType:
    """A moment that was marked, as it scrolls by."""
    return _row(clock_text(at), Text(MARK, "yellow"), Text(label, "yellow"))


def _joined(settled: str, tentative: str) -> Text:
    return Text.assemble((settled.lstrip(), "bold"), (tentative if settled else tentative.lstrip(), "italic cyan"))


def _direction(caption: Caption, speaker: str) -> Text:
    name = Text(f"{caption.source}→{caption.target}", "cyan")
    if speaker:
        name = Text.assemble((set_cell_size(speaker, SPEAKER_WIDTH), "dim"), name)
    return Text.assemble(name, (" ?", "bold yellow")) if caption.is_uncertain else name


def _row(when: str, direction: Text, text: Text) -> RenderableType:
    grid = Table.grid()
    grid.add_column(width=TIME_WIDTH)
    grid.add_column(width=max(DIRECTION_WIDTH, direction.cell_len + 1))
    grid.add_column(overflow="fold")
    grid.add_row(Text(when, "dim"), direction, text)
    return grid


def _status_words(status: Status) -> Text:
    words = Text(status.text, _STATUS_STYLES[status.kind])
    return Text.assemble(words, (f"  {status.hint}", "dim")) if status.hint else words
