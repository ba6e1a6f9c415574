"""Sentence patterns: scheduling, dates and times, durations. Rows of (name, English, Mandarin) by topic."""

PATTERNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "scheduling": (
        ("meet_when_clock", "Let's meet {when} at {clock}.", "我们{when}{clock}见面吧。"),
        ("moved_to_date", "The meeting has been moved to {date}.", "会议改到了{date}。"),
        ("starts_half", "The meeting starts at {clock_half}.", "会议{clock_half}开始。"),
        ("deadline_date", "The deadline is {date}.", "截止日期是{date}。"),
        ("take_span", "It will take {span} to {task}.", "{task}需要{span}。"),
    ),
}
