"""Sentences of every language, wanted and not; and what is too short, or too full of names, to be called wrong."""

from __future__ import annotations

import pytest

from models.base import LANGUAGES, UNKNOWN
from models.qwen_audio.offtarget import found_instead, leads_astray

SENTENCES = {
    "zh": [
        "我们明天上午十点开会，请大家准时参加。",
        "这个项目的预算已经超过了两百万元。",
        "你觉得这个方案怎么样？",
        "对不起，我没听清楚，请再说一遍。",
    ],
    "zh_tr": [
        "我們明天上午十點開會，請大家準時參加。",
        "這個項目的預算已經超過了兩百萬元。",
        "你覺得這個方案怎麼樣？",
        "對不起，我沒聽清楚，請再說一遍。",
    ],
    "en": [
        "We will meet tomorrow at ten, so please be on time.",
        "The budget of this project has already passed two million.",
        "What do you think about that plan?",
        "I am sorry, I did not hear that, could you say it again?",
    ],
    "de": [
        "Wir treffen uns morgen um zehn Uhr, bitte seien Sie pünktlich.",
        "Das Budget für dieses Projekt hat zwei Millionen überschritten.",
        "Was halten Sie von diesem Plan, und wann können wir anfangen?",
        "Es tut mir leid, das habe ich nicht verstanden.",
    ],
    "es": [
        "Nos reunimos mañana a las diez, así que por favor lleguen a tiempo.",
        "El presupuesto de este proyecto ya ha superado los dos millones.",
        "¿Qué te parece este plan y cuándo podemos empezar?",
        "Lo siento, no lo he entendido, ¿puede repetirlo?",
    ],
    "fr": [
        "Nous nous réunissons demain à dix heures, soyez à l'heure s'il vous plaît.",
        "Le budget de ce projet a déjà dépassé les deux millions.",
        "Que pensez-vous de ce plan, et quand est-ce que nous pouvons commencer ?",
        "Je suis désolé, je n'ai pas entendu, pouvez-vous répéter ?",
    ],
    "it": [
        "Ci vediamo domani alle dieci, quindi per favore siate puntuali.",
        "Il budget di questo progetto ha già superato i due milioni.",
        "Cosa ne pensi di questo piano e quando possiamo iniziare?",
        "Mi dispiace, non ho sentito, può ripetere quello che ha detto?",
    ],
    "ja": [
        "明日の午前十時に会議がありますので、時間通りに来てください。",
        "このプロジェクトの予算はすでに二百万を超えました。",
        "この計画についてどう思いますか。",
        "すみません、よく聞こえませんでした。",
    ],
    "ko": [
        "내일 오전 열 시에 회의가 있으니 시간에 맞춰 와 주세요.",
        "이 프로젝트의 예산은 이미 이백만을 넘었습니다.",
        "이 계획에 대해 어떻게 생각하세요?",
        "죄송합니다, 잘 못 들었습니다.",
    ],
}
ALL = [(language, text) for language, texts in SENTENCES.items() for text in texts]


def test_every_language_of_the_program_has_sentences_here():
    assert SENTENCES.keys() == LANGUAGES.keys()


@pytest.mark.parametrize(("language", "text"), ALL)
def test_a_sentence_of_the_language_wanted_is_right(language, text):
    assert found_instead(text, language) is None


@pytest.mark.parametrize(("written", "text"), ALL)
def test_a_sentence_of_another_language_is_named(written, text):
    for wanted in LANGUAGES.keys() - {written}:
        found = found_instead(text, wanted)
        # Chinese is told from Latin languages and Korean by its script, which says nothing of how it is written.
        accepted = {written, "zh"} if written == "zh_tr" else {written}
        if {wanted, written} == {"zh", "zh_tr"} or (written in ("zh", "zh_tr") and wanted == "ja"):
            accepted.add(None)  # few enough characters differ that a short sentence may hold none
        assert found in accepted, (wanted, found)


def test_the_two_ways_of_writing_chinese_are_told_apart_where_they_differ():
    assert found_instead(SENTENCES["zh"][0], "zh_tr") == "zh"
    assert found_instead(SENTENCES["zh_tr"][0], "zh") == "zh_tr"
    assert found_instead("中文名字", "zh_tr") is None


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "3.14",
        "1,250,000",
        "10:30",
        "OK",
        "Anna Müller",
        "GPT-4 / NVIDIA H100",
        "Wi-Fi",
        "Microsoft Azure OpenAI Service",
        "The Lord of the Rings",
        "https://example.org",
        "see www.example.org/a/b or mail@example.org",
        "…?!",
        "Hmm",
    ],
)
def test_numbers_names_and_short_texts_are_never_called_wrong(language, text):
    assert found_instead(text, language) is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "我们用 Python 和 Docker 部署 backend，再交给 Anna Müller。"),
        ("zh", "张伟喜欢看 The Lord of the Rings。"),
        ("zh", "他在东京开了一家叫「はな」的店。"),
        ("ja", "東京都知事選挙"),
        ("ja", "東京都知事選挙立候補者"),
        ("ja", "GPUはNVIDIA H100です。"),
        ("ko", "서울시는 Smart City Seoul 프로젝트를 시작했습니다."),
        ("ko", "KBS 뉴스"),
        ("en", "Mr. Zhang Wei (张伟) is joining us from Beijing today."),
        ("en", "We had dinner at La Casa de las Flores in Madrid."),
        ("de", "Der Film The Lord of the Rings läuft heute Abend."),
        ("fr", "Le New York Times a publié un article sur la Deutsche Bank."),
        ("es", "El señor Smith trabaja en The Walt Disney Company."),
        ("it", "Il signor Rossi lavora per la Bank of England."),
    ],
)
def test_foreign_names_inside_a_sentence_are_no_fault(language, text):
    assert found_instead(text, language) is None


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("de", "And we have to find una soluzione che non sia for all of the people.", "en"),
        ("zh", "我们 should decide what to do with the other plan", "en"),
        ("zh", "Good morning everyone.", "en"),
        ("zh", "How are you?", "en"),
        ("ja", "我们明天见，你说对吗？", "zh"),
        ("ja", "東京都知事將在明天上午十點公布結果。", "zh"),
        ("en", "Это предложение написано по-русски.", UNKNOWN),
        ("zh", "Это предложение написано по-русски.", UNKNOWN),
    ],
)
def test_mixtures_and_foreign_scripts_are_found(wanted, text, found):
    assert found_instead(text, wanted) == found


@pytest.mark.parametrize(
    ("spelling", "wanted", "found", "astray"),
    [
        (" the", "zh", "en", True),
        ("会议", "zh", "en", False),
        ("，", "zh", "en", False),
        ("12", "zh", "en", False),
        ("はい", "zh", "ja", True),
        ("회", "zh", "ko", True),
        ("会", "en", "zh", True),
        (" meeting", "en", "zh", False),
        (" é", "fr", "zh", False),
        ("“", "fr", "zh", False),
        (" the", "de", "en", True),
        (" The", "de", "en", True),
        (" in", "de", "en", False),
        (" Haus", "de", "en", False),
        ("at", "de", "en", False),  # "Monat"
        (" at", "de", "en", True),
        (" of", "zh", "zh_tr", False),
        ("GPT", "zh", "ja", False),
        ("GPT", "zh", UNKNOWN, True),
        ("か", "en", "zh", True),
        ("們", "zh", "zh_tr", True),
        ("们", "zh_tr", "zh", True),
        ("人", "zh_tr", "zh", False),
        ("吗", "ja", "zh", True),
        ("会", "ja", "zh", False),
        ("я", "en", UNKNOWN, True),
    ],
)
def test_tokens_of_the_language_found_lead_astray_and_no_others(spelling, wanted, found, astray):
    assert leads_astray(spelling.encode(), wanted, found) is astray


def test_a_token_that_ends_inside_a_character_is_judged_by_its_first_byte():
    assert leads_astray("会".encode()[:2], "en", "zh")
    assert leads_astray("회".encode()[:1], "zh", "ko")
    assert not leads_astray("회".encode()[:1], "zh", "ja")
    assert not leads_astray("会".encode()[:2], "zh", "en")
    assert not leads_astray("é".encode()[:1], "de", "en")
    assert not leads_astray("会".encode()[1:], "en", "zh")  # what it ends was forbidden before
