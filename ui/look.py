"""How the overlay looks: colours, fonts for each language, and proportions. Numbers and names only.

Proportions are shares of the translation's size in pixels; colours are #rrggbb, or #aarrggbb where translucent.
"""

from __future__ import annotations

PANEL = "#0b0f14"
PANEL_EDGE = "#24ffffff"
SETTLED = "#ffffff"
TENTATIVE = "#afc8df"
SOURCE = "#d8dfe6"
SOURCE_TENTATIVE = "#a9b7c4"
UNCERTAIN = "#ffd28a"
QUIET = "#b6c0ca"
"""Small words beside the captions."""
OUTLINE = "#000000"
METER_TRACK = "#30ffffff"
METER = "#9aa5b1"
METER_SPEECH = "#63dcae"
WARNING = "#ffc35c"
ERROR = "#ff8f84"

LATIN_FAMILIES = (
    "Inter",
    "SF Pro Text",
    "Segoe UI",
    "Noto Sans",
    "Helvetica Neue",
    "Ubuntu",
    "Cantarell",
    "Liberation Sans",
    "DejaVu Sans",
)
HAN_FAMILIES = (
    "PingFang SC",
    "Microsoft YaHei UI",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
)
TRADITIONAL_FAMILIES = (
    "PingFang TC",
    "Microsoft JhengHei UI",
    "Microsoft JhengHei",
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Source Han Sans TC",
)
JAPANESE_FAMILIES = (
    "Hiragino Sans",
    "Yu Gothic UI",
    "Meiryo",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans JP",
)
KOREAN_FAMILIES = (
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Source Han Sans KR",
    "NanumGothic",
)
FAMILIES = {
    "zh": HAN_FAMILIES + LATIN_FAMILIES,
    "zh_tr": TRADITIONAL_FAMILIES + HAN_FAMILIES + LATIN_FAMILIES,
    "ja": JAPANESE_FAMILIES + HAN_FAMILIES + LATIN_FAMILIES,
    "ko": KOREAN_FAMILIES + HAN_FAMILIES + LATIN_FAMILIES,
    "en": LATIN_FAMILIES + HAN_FAMILIES,
}
"""Families to try by language, best first; the others follow, so that a name in the other script is not tofu.

Languages written in Latin letters are set as English is.
"""

SOURCE_SHARE = 0.75
"""Source text beside translation: 21 to 28, the ratio peers settled on (specs/desktop.md, section 4)."""
SMALL_SHARE = 0.44
SMALL_LEAST_PX = 11
LINE_SHARE = 1.42
"""Height of a line beside its text; hanzi need more than Latin."""
BASELINE_SHARE = 1.06
"""Where the baseline lies below the top of a line, the same for both scripts so that lines never shift."""
OUTLINE_SHARE = 0.06
WIDTH_SHARE = 23.0
"""Text width beside the text's size: about 42 Latin letters, or 23 hanzi."""
WIDTH_OF_SCREEN = 0.68
PADDING_X_SHARE = 0.8
PADDING_Y_SHARE = 0.45
CORNER_SHARE = 0.45

SMALLEST_PX = 14
LARGEST_PX = 96
SIZE_STEP = 1.15
"""What one step bigger or smaller multiplies the text size by."""
