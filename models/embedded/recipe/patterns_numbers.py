"""Sentence patterns: money, percentages, quantities, large numbers. Rows of (name, English, Mandarin) by topic."""

PATTERNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "numbers": (
        ("rose_percent", "{metric} rose by {percent} {past}.", "{past}{metric}增长了{percent}。"),
        ("budget_money", "Our budget is {money}.", "我们的预算是{money}。"),
        ("large_users", "We now have {large} users.", "我们现在有{large}名用户。"),
        ("need_goods", "We need {goods}.", "我们需要{goods}。"),
        ("room_number", "The meeting is in room {room}.", "会议在{room}房间。"),
        ("phone_is", "My phone number is {phone}.", "我的电话号码是{phone}。"),
    ),
}
