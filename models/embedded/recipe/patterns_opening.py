"""Sentence patterns: greetings, agenda, small talk, closing. Rows of (name, English, Mandarin) by topic."""

PATTERNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "greetings": (
        ("good_morning", "Good morning, everyone.", "大家早上好。"),
        ("hello_person", "Hello, {person}.", "{person},你好。"),
        ("welcome_person", "Let's welcome {person} from {city}.", "让我们欢迎来自{city}的{person}。"),
        ("hear_me", "Can you hear me clearly?", "你能听清楚我说话吗?"),
        ("nice_to_meet", "Nice to meet you, {person}.", "很高兴认识你,{person}。"),
    ),
    "agenda": (
        ("discuss_today", "Today we will discuss {subject}.", "今天我们讨论{subject}。"),
        ("next_item", "The next item is {subject}.", "下一项是{subject}。"),
        ("first_then", "First we will look at {subject}, then {subject.2}.", "我们先看{subject},再看{subject.2}。"),
    ),
    "closing": (
        ("thanks_time", "Thank you all for your time.", "感谢大家抽出时间。"),
        ("see_you_when", "See you {when}.", "我们{when}见。"),
    ),
}
