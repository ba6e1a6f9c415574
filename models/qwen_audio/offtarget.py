"""Whether a translation came out in another language than the one asked for, and which tokens would lead there again.

In: a text, or what a token spells, and the language wanted. Out: the language found instead, or None. Decoding again is
not its business.

Scripts tell most languages apart; the five that share the Latin script are told by their commonest words. What cannot
be told, because it is short, or made of names and numbers, is taken for right: a wrong alarm costs a good translation.
Source: QwenLM/Qwen-Audio issue 68 shows the fault (German asked for, English mixed with Italian given).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from models.base import UNKNOWN

Script = Literal["han", "kana", "hangul", "latin", "other"]

_RANGES: tuple[tuple[int, int, Script], ...] = (
    (0x3041, 0x309F, "kana"),
    (0x30A1, 0x30FA, "kana"),
    (0x31F0, 0x31FF, "kana"),
    (0xFF66, 0xFF9D, "kana"),
    (0x3005, 0x3007, "han"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xF900, 0xFAFF, "han"),
    (0x20000, 0x3FFFF, "han"),
    (0x1100, 0x11FF, "hangul"),
    (0x3130, 0x318F, "hangul"),
    (0xAC00, 0xD7AF, "hangul"),
    (0x0041, 0x024F, "latin"),
    (0x1E00, 0x1EFF, "latin"),
    (0xFF21, 0xFF5A, "latin"),
)
_SCRIPTS: dict[str, frozenset[Script]] = {
    "zh": frozenset({"han"}),
    "zh_tr": frozenset({"han"}),
    "ja": frozenset({"han", "kana"}),
    "ko": frozenset({"hangul"}),
}
"""What a language is written in, where that is not the Latin script."""
_LATIN: frozenset[Script] = frozenset({"latin"})
_LEAD_BYTES: tuple[tuple[int, int, Script], ...] = (
    (0xE4, 0xE9, "han"),
    (0xEA, 0xED, "hangul"),
    (0xF0, 0xF0, "han"),
)
"""First bytes in UTF-8 that only characters of one of these scripts have; a token may end after one."""

_ALARM_LETTERS = 4
"""Letters of a foreign script, more than of the right one, that are no name any more."""
_ALARM_WORDS, _ALARM_WORDS_ALONE = 3, 2
"""So many more of the commonest words of a foreign language than of the right one, if that has some, or none."""
_ALARM_CHARACTERS = 3
"""Characters of the wrong way of writing Chinese, more than so many times those of the right one."""
_FEW_WORDS = 4
"""Fewer words than these tell no Latin language."""
_LONGEST_COMPOUND = 13
"""So many hanzi without any kana are no Japanese: "東京都知事選挙立候補者" is one word."""
_KANA_SHARE = 5
"""Chinese with one kana to so few hanzi is Japanese."""

_WORDS = {
    "en": "the of and to in is that it for was on are with as they be at this have from by not but what all were when"
    " we there can an your which their said if do will each about how up out them then she many some so these would"
    " other into has more her two like him see time could no make than been its who now people my made over did down"
    " only way find use may after first where most know very our just you he his i am a or us me one come die man war"
    " had any because should please need does much here why",
    "de": "der die und den das von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat"
    " dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis"
    " mehr durch man sein wurde wenn können wir ich ihr uns unser unsere was mein kann diese dieser dieses ja nein in"
    " hier jetzt muss müssen sehr heute morgen bitte schon doch dann also habe hatte wird welche ihre ihren keine all",
    "es": "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin"
    " sobre este ya entre cuando todo esta ser son dos también fue había era muy hasta desde está mi porque qué han yo"
    " hay puede todos así nos ni tiene donde bien mismo ese ahora cada eso estamos tenemos vamos hoy aquí gracias"
    " nuestro nuestra usted hace estoy quiero siento te cuándo podemos mañana ayer siempre nunca mientras estos estas"
    " esa aquel aquella ellos pueden tienen he",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont mais comme ou"
    " si leur y dont tout nous sa fait été aussi avec elle cette ces vous je son ses aux ont même notre être avait on"
    " à très bien ici nos votre où cela ça faire faut peut suis avons sera deux merci quand alors entre me mon no"
    " aujourd'hui parce donc",
    "it": "di e il la che in un a per è una sono del non si da con le dei nel della al alla ma come più anche lo ha"
    " gli questo delle ed ci se i mi o suo essere quando molto tra era degli nella stato ho cosa perché tutto questa"
    " abbiamo noi dobbiamo oggi ora qui dal dalla sul sulla possiamo sia hanno fatto dopo prima nostro nostra grazie"
    " io lei loro siamo no me quindi già domani ieri adesso favore sempre ancora senza ogni mentre questi queste quello"
    " quella vediamo vi può te mi cosa quando",
}
_SPLIT = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_OWN = {
    language: words - frozenset().union(*(other for name, other in _SPLIT.items() if name != language))
    for language, words in _SPLIT.items()
}
"""The commonest words of each language that are none of another's."""
_OWN_LETTERS = {"de": "ßäö", "es": "ñ¿¡", "fr": "çœêëîû", "it": "òì"}
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|dell|nell|all|un|quest)['’]")
"""An article or pronoun that French and Italian write together with the next word."""
_ADDRESS = re.compile(r"\S+[./@]\S+")
"""A web page, a file, a mailbox: in no language."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|[¿¡]")

_PAIRS = (
    "们們这這个個为為来來时時会會说說对對过過还還进進学學问問间間门門开開关關见見现現长長车車东東马馬话話语語请請谢謝让讓认認识識读讀书書写寫议議论論设設计計"
    "发發经經济濟报報价價钱錢银銀员員项項题題业業产產务務动動机機电電脑腦网網络絡线線总總结結给給统統继繼续續约約级級红紅绿綠点點热熱爱愛亲親边邊远遠运運"
    "达達选選连連适適实實际際队隊难難页頁顺順须須风風飞飛饭飯馆館饮飲体體当當张張强強样樣条條极極标標树樹权權气氣汉漢决決测測满滿灯燈独獨环環画畫疗療码碼"
    "确確离離种種积積称稱稳穩竞競笔筆类類纪紀纸紙组組织織练練绍紹细細终終绩績维維罗羅职職联聯脸臉节節艺藝药藥虽雖补補装裝规規视視览覽觉覺观觀订訂讨討训訓"
    "记記讲講许許证證评評诉訴词詞试試诚誠该該详詳误誤调調谁誰谈談负負责責质質贵貴费費资資赛賽转轉轮輪软軟载載较較辆輛输輸欢歡国國两兩万萬吗嗎么麼"
)
_SIMPLIFIED, _TRADITIONAL = frozenset(_PAIRS[::2]), frozenset(_PAIRS[1::2])
"""Characters of one way of writing Chinese that the other does not have."""
_NOT_JAPANESE = frozenset(
    "们這这吗嗎呢你您她吧啊們麼么说还进问间门开关见话语请谢让认识读书议论设计"
    "经报价钱项题业产务动电脑网线给统继续约级对时为"
)


def found_instead(text: str, language: str) -> str | None:
    """The language that a text is in, if that is not the one wanted.

    Args:
        text: a translation.
        language: code of the language wanted.

    Returns:
        A code; UNKNOWN for a script of none of the languages; None where the text is right or cannot be told.
    """
    letters = Counter(_script(char) for char in text if char.isalpha())
    if language in _SCRIPTS:
        return _instead_of_script(text, language, letters)
    return _instead_of_latin(text, language, letters)


def leads_astray(spelling: bytes, language: str, found: str) -> bool:
    """Whether a token belongs to the language that was found in place of the one wanted.

    Letters of a script that only the language found has do; between two languages of one script their own commonest
    words do, or their own ways of writing a character. Names in that script are lost by this.

    Args:
        spelling: what the token spells in UTF-8, perhaps a part of a character.
        language: code of the language wanted.
        found: what found_instead said of the text.
    """
    foreign = _foreign_scripts(language, found)
    try:
        text = spelling.decode("utf-8")
    except UnicodeDecodeError:
        return _begins_one_of(spelling, foreign)
    if any(char.isalpha() and _script(char) in foreign for char in text):
        return True
    if foreign.isdisjoint(_LATIN) and found in _OWN:
        # A word begins behind a space or with a capital; "at" alone may also end "Monat".
        return (text[:1] == " " or text[:1].isupper()) and text.strip().lower() in _OWN[found]
    return bool(_strangers(language, found).intersection(text))


def _script(char: str) -> Script:
    code = ord(char)
    return next((script for low, high, script in _RANGES if low <= code <= high), "other")


def _instead_of_script(text: str, language: str, letters: Counter[Script]) -> str | None:
    own = sum(letters[script] for script in _SCRIPTS[language])
    if letters["latin"] and _is_latin_prose(text, own):
        counts = _counts(_words(text), _SPLIT)
        return max(counts, key=counts.__getitem__)
    for script, found in (("hangul", "ko"), ("kana", "ja"), ("han", "zh"), ("other", UNKNOWN)):
        if script not in _SCRIPTS[language] and _ALARM_LETTERS <= letters[script] > own:  # type: ignore[index]
            return found
    if language == "ja":
        foreign = sum(char in _NOT_JAPANESE for char in text)
        is_chinese = foreign >= 2 or letters["han"] >= _LONGEST_COMPOUND
        return "zh" if is_chinese and not letters["kana"] else None
    if language == "ko":
        return None
    if letters["kana"] >= _ALARM_LETTERS and letters["kana"] * _KANA_SHARE > letters["han"]:
        return "ja"
    return _other_chinese(text, language)


def _is_latin_prose(text: str, own: int) -> bool:
    """Whether the Latin words among `own` characters are more than names, which begin with capitals."""
    words = _words(text)
    if not own:
        plain = _plain(words)
        return len(plain) >= _FEW_WORDS or len(plain) == len(words) >= _FEW_WORDS - 1
    return len(words) > own and sum(_counts(words, _OWN).values()) >= 2


def _other_chinese(text: str, language: str) -> str | None:
    simplified = sum(char in _SIMPLIFIED for char in text)
    traditional = sum(char in _TRADITIONAL for char in text)
    right, wrong, other = (simplified, traditional, "zh_tr") if language == "zh" else (traditional, simplified, "zh")
    return other if wrong >= 2 and wrong > _ALARM_CHARACTERS * right else None


def _instead_of_latin(text: str, language: str, letters: Counter[Script]) -> str | None:
    for script, found in (("kana", "ja"), ("han", "zh"), ("hangul", "ko"), ("other", UNKNOWN)):
        # A Chinese word holds as much as two or three letters of a Latin one.
        if letters[script] >= (1 if script == "kana" else 2) and 3 * letters[script] > letters["latin"]:  # type: ignore[index]
            return found
    plain = _plain(_words(text))
    if len(plain) < _FEW_WORDS:
        return None
    counts = _counts(plain, _SPLIT)
    right = counts.pop(language, 0)
    found = max(counts, key=counts.__getitem__)
    is_alarm = counts[found] - right >= (_ALARM_WORDS if right else _ALARM_WORDS_ALONE) and counts[found] >= 2 * right
    return found if is_alarm else None


def _words(text: str) -> list[str]:
    return [
        word for word in _WORD.findall(_ADDRESS.sub(" ", text)) if not word[0].isalpha() or _script(word[0]) == "latin"
    ]


def _plain(words: list[str]) -> list[str]:
    """Without what begins with a capital inside a sentence: names and titles (and German nouns, which tell nothing)."""
    return [word for place, word in enumerate(words) if place == 0 or not word[0].isupper()]


def _counts(words: list[str], lists: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """How many words are in the list of each Latin language, or have a letter that no other has."""
    counts = dict.fromkeys(lists, 0)
    for word in words:
        lower = word.lower()
        parts = {lower, _ELISION.sub("", lower)}
        for language, common in lists.items():
            counts[language] += bool(common & parts) or any(c in lower for c in _OWN_LETTERS.get(language, ""))
    return counts


def _foreign_scripts(language: str, found: str) -> frozenset[Script]:
    """Scripts that the text shall do without: those found, or all but its own where those are no help."""
    wanted = _SCRIPTS.get(language, _LATIN)
    is_known = language in _SCRIPTS and found != UNKNOWN
    return (_SCRIPTS.get(found, _LATIN) if is_known else frozenset(get_args(Script))) - wanted


def _begins_one_of(spelling: bytes, scripts: frozenset[Script]) -> bool:
    last = next((byte for byte in reversed(spelling) if byte >= 0xC0), 0)
    return any(low <= last <= high and script in scripts for low, high, script in _LEAD_BYTES)


def _strangers(language: str, found: str) -> frozenset[str]:
    """Characters that only the language found has, where both are written in hanzi."""
    if (language, found) == ("zh", "zh_tr"):
        return _TRADITIONAL
    if (language, found) == ("zh_tr", "zh"):
        return _SIMPLIFIED
    return _NOT_JAPANESE if (language, found) == ("ja", "zh") else frozenset()
