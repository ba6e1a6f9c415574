"""Sentence patterns: status, problems, decisions, questions. Rows of (name, English, Mandarin) by topic."""

PATTERNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "status": (
        ("has_already", "{person} has already {done}.", "{person}已经{done}了。"),
        ("is_doing", "{person} is {doing}.", "{person}正在{doing}。"),
        ("will_task_when", "{person} will {task} {when}.", "{person}{when}会{task}。"),
        ("doc_ready", "The {doc} is ready.", "{doc}准备好了。"),
    ),
    "problems": (
        ("device_broken", "The {device} is broken.", "{device}坏了。"),
        ("device_slow", "The {device} in {city} is very slow.", "{city}的{device}很慢。"),
    ),
    "questions": (
        ("who_will", "Who will {task}?", "谁来{task}?"),
        ("can_you_task", "Can you {task} {when}?", "你能{when}{task}吗?"),
        ("where_person", "Where is {person}?", "{person}在哪里?"),
    ),
}
