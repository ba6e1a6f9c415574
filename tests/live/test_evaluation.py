import pytest
from example_captions import caption

from live.demo import Line, Script, Turn
from live.evaluation.score import Pair, Passage, align, bleu, joint, score


def passages(*items):
    return [Passage(*item) for item in items]


def test_a_cue_is_paired_with_the_sentence_it_overlaps():
    sentences = passages((0, 2, "One."), (3, 5, "Two."))
    cues = passages((2.8, 5.2, "two"), (0.1, 2.3, "one"))
    assert align(sentences, cues, " ") == [Pair("One.", "one"), Pair("Two.", "two")]


def test_a_cue_over_two_sentences_is_compared_with_both():
    assert align(passages((0, 2, "One."), (2, 4, "Two.")), passages((0, 4.5, "one two")), " ") == [
        Pair("One. Two.", "one two")
    ]


def test_a_sentence_over_two_cues_is_compared_with_both_in_the_order_of_time():
    assert align(passages((0, 4, "一二。")), passages((2, 4.5, "二"), (0, 2, "一")), "") == [Pair("一二。", "一二")]


def test_chains_of_overlaps_become_one_pair():
    sentences = passages((0, 3, "A"), (3, 6, "B"), (6, 9, "C"))
    cues = passages((0, 4, "a"), (4, 7, "b"), (7, 9, "c"))
    assert align(sentences, cues, " ") == [Pair("A B C", "a b c")]


def test_a_touch_at_the_edge_joins_nothing():
    sentences, cues = passages((0, 2, "A"), (2.1, 4, "B")), passages((0, 2.3, "a"), (2.3, 4.2, "b"))
    assert align(sentences, cues, " ") == [Pair("A", "a"), Pair("B", "b")]


def test_what_was_missed_and_what_was_made_up_both_count():
    pairs = align(passages((0, 2, "Missed.")), passages((5, 6, "made up")), " ")
    assert pairs == [Pair("Missed.", ""), Pair("", "made up")]


EN = "we have to finish the report on the new budget before friday ."
ZH = "我们必须在星期五之前完成关于新预算的报告。"
SCRIPT = Script(
    seed=1,
    turns=(
        Turn("a", "zh", 0.0, 4.0, (Line(0.0, 4.0, ZH, EN),)),
        Turn("b", "en", 5.0, 9.0, (Line(5.0, 9.0, EN, ZH),)),
    ),
)


def test_a_perfect_session_scores_100_in_both_directions_with_its_own_tokenizers():
    scores = score(SCRIPT, [caption(0, 4.4, EN), caption(4.8, 9.4, ZH, direction=("en", "zh"))])
    assert {direction: round(result.bleu) for direction, result in scores.items()} == {
        ("zh", "en"): 100,
        ("en", "zh"): 100,
    }
    assert "tok:13a" in scores["zh", "en"].signature
    assert "tok:zh" in scores["en", "zh"].signature


def test_a_direction_heard_wrongly_is_scored_where_the_script_says_it_belongs():
    scores = score(SCRIPT, [caption(0, 4.4, EN), caption(4.8, 9.4, EN, direction=("zh", "en"))])
    assert scores["zh", "en"].bleu == pytest.approx(100)
    assert scores["en", "zh"].bleu < 1


def test_missed_sentences_are_counted_and_cost_score():
    scores = score(SCRIPT, [caption(0, 4.4, EN)])
    assert (scores["en", "zh"].n_missed, scores["en", "zh"].bleu) == (1, 0)
    assert (scores["zh", "en"].n_missed, scores["zh", "en"].n_sentences) == (0, 1)


def test_made_up_captions_cost_score():
    whole = [caption(0, 4.4, EN), caption(4.8, 9.4, ZH, direction=("en", "zh"))]
    scores = score(SCRIPT, [*whole, caption(20, 24, EN)])
    assert min(result.bleu for result in scores.values()) < 100


@pytest.mark.parametrize(
    ("language", "text", "kind", "between"),
    [
        ("zh", "我们周一开会讨论预算。", "zh", ""),
        ("zh_tr", "我們週一開會討論預算。", "zh", ""),
        ("ja", "会議は三時に始まります。", "char", ""),
        ("ko", "회의는 오후 세 시에 시작합니다.", "13a", " "),
        ("de", "Das Treffen beginnt um drei Uhr.", "13a", " "),
    ],
)
def test_each_language_has_its_own_words_and_spaces(language, text, kind, between):
    figure, signature = bleu([text], [text], language)
    assert figure == pytest.approx(100)
    assert f"tok:{kind}|" in signature
    assert joint(language) == between
