"""A hypothesis cut along its references."""

import pytest

from live.evaluation.simul.resegment import sentence_of_each


def cut(references: list[str], hypothesis: str) -> list[str]:
    """What of the hypothesis goes to each reference, by characters."""
    owners = sentence_of_each([list(each) for each in references], list(hypothesis), is_char_level=True)
    return [
        "".join(c for c, owner in zip(hypothesis, owners, strict=True) if owner == n) for n in range(len(references))
    ]


@pytest.mark.parametrize(
    ("references", "hypothesis", "expected"),
    [
        (["甲乙。", "丙丁。"], "甲乙。丙丁。", ["甲乙。", "丙丁。"]),
        (["甲乙。", "丙丁。"], "甲。丁。", ["甲。", "丁。"]),
        (["甲乙。", "丙丁。"], "丙丁。", ["", "丙丁。"]),
        (["甲乙？", "丙丁。"], "甲乙？", ["甲乙？", ""]),
        (["甲乙。", "丙丁。"], "甲乙戊。丙戊丁。", ["甲乙戊。", "丙戊丁。"]),
        (["甲乙。"], "", [""]),
    ],
)
def test_units_go_to_the_sentence_they_are_most_like(references, hypothesis, expected):
    assert cut(references, hypothesis) == expected


def test_words_are_alike_by_the_characters_they_share():
    references = [["We", "invested", "much"], ["Thanks", "everyone"]]

    assert sentence_of_each(references, ["We", "invest", "Thank", "everybody"], is_char_level=False) == [0, 0, 1, 1]


def test_marks_are_never_aligned_with_letters():
    assert sentence_of_each([["a"], ["."]], ["."], is_char_level=True) == [1]


def test_units_without_any_reference_belong_nowhere():
    assert sentence_of_each([[], []], ["a"], is_char_level=True) == [None]
