"""Which heads point: words and their times, what tells wrong pieces from right ones, and what is kept of it."""

from __future__ import annotations

import numpy as np
import platformdirs
import pytest
from test_calibrate import copied

from models.base import Piece
from models.embedded.recipe import augment, segments
from models.embedded.recipe.grammar import PATTERNS, fill
from models.embedded.recipe.heads import chosen, command, watched
from models.embedded.recipe.heads.aligned import reference, spans_of
from models.embedded.recipe.heads.chosen import Aim, Rule
from models.embedded.recipe.heads.watched import HOLDS, Aimed, Job, Written
from models.embedded.recipe.segments import Shape
from models.embedded.recipe.slots import SLOTS
from models.embedded.recipe.speech import Voice
from models.pointers import stored_pointers
from models.qwen_audio.translator import QwenAudioTranslator

HEADS = ((0, 0), (0, 1), (1, 0))


def sentence(name: str, **fillers: str):
    pattern = next(pattern for pattern in PATTERNS if pattern.name == name)
    kinds = {slot: next(f for f in SLOTS[slot.partition(".")[0]] if f.key == key) for slot, key in fillers.items()}
    return fill(pattern, kinds)


@pytest.fixture(scope="module")
def clip():
    said = [sentence("left_thing", belonging="keys", place="in the lobby"), sentence("it_is_free")]
    return segments.compose(said, "en", Voice("en", "en-us"), Shape(pauses_s=(0.2,)))


def written(wrong: bool, logprobs: list[float], behind: list[int], masses: list[float], task="translate") -> Written:
    """One set of heads whose tail is as heavy for every hold."""
    spread = np.repeat(np.array(masses, np.float32)[None, :, None], len(HOLDS), axis=2)
    return Written(task, wrong, np.array(logprobs, np.float32), np.array([behind], np.int32), spread)


def test_a_transcripts_words_have_the_times_of_the_synthesiser(clip, tokenizer):
    text, units = reference(clip, "transcribe")
    assert text == "I left my keys in the lobby. It is free."
    pieces = tokenizer.pieces(tokenizer.encode(text), [0.0] * len(tokenizer.encode(text)))
    spans = dict(zip((piece.text for piece in pieces), spans_of(pieces, units), strict=True))
    first, second = clip.spoken
    assert spans["I"] == first.token_starts_s[:2]
    assert spans[" lobby"] == (first.token_starts_s[-1], first.end_s)
    assert spans[" It"] == second.token_starts_s[:2]
    assert spans["."] is None


def test_a_translations_words_have_the_times_of_what_fills_their_slot(clip):
    text, units = reference(clip, "translate")
    assert text == "我把钥匙忘在大厅了。这是免费的。"
    starts = clip.spoken[0].token_starts_s
    of_word = dict(zip(text[:9], (unit.span for unit in units), strict=False))
    assert of_word["钥"] == of_word["匙"] == (starts[3], starts[4])
    assert of_word["大"] == of_word["厅"] == (starts[4], clip.spoken[0].end_s)
    assert of_word["我"] is of_word["把"] is of_word["忘"] is None


def test_pieces_across_units_count_where_they_begin():
    pieces = [Piece((1,), "钥匙忘", 0.0)]
    units = reference_units = [chosen_unit(0, 1, (1.0, 2.0)), chosen_unit(1, 3, (3.0, 4.0))]
    assert spans_of(pieces, units) == [reference_units[0].span]


def chosen_unit(start, stop, span):
    from models.embedded.recipe.heads.aligned import Unit

    return Unit(start, stop, span)


def test_the_area_under_the_curve_counts_pairs():
    assert chosen.auc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1.0
    assert chosen.auc(np.array([1.0]), np.array([2.0, 3.0])) == 0.0
    assert chosen.auc(np.array([2.0]), np.array([1.0, 2.0, 3.0, 2.0])) == 0.5
    assert chosen.auc(np.array([1.0, 3.0]), np.array([2.0])) == 0.5
    assert chosen.auc(np.zeros(0), np.array([2.0])) == 0.0


def test_the_area_is_that_of_comparing_every_pair():
    rng = np.random.default_rng(3)
    wrong, right = rng.integers(0, 9, 40).astype(float), rng.integers(0, 7, 70).astype(float)
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in wrong for b in right]
    assert chosen.auc(wrong, right) == pytest.approx(np.mean(pairs))


def test_heads_are_ranked_by_how_near_to_the_words_they_point():
    aimed = [
        Aimed("translate", np.array([[0.5, 0.0, 2.0], [0.5, 0.2, 2.0]], np.float32), np.array([1, 0.5, 0], np.float32)),
        Aimed("translate", np.zeros((0, 3), np.float32), np.array([1, 1, 0], np.float32)),
    ]
    ranked = chosen.ranked(aimed, HEADS)
    assert ranked == [Aim((0, 1), pytest.approx(0.1), 0.75), Aim((0, 0), 0.5, 1.0), Aim((1, 0), 2.0, 0.0)]
    assert chosen.candidates(ranked) == [((0, 1),), ((0, 0), (0, 1)), HEADS]
    with pytest.raises(ValueError, match="times are known"):
        chosen.ranked(aimed[1:], HEADS)


def test_a_rule_holds_what_points_to_the_end_or_looks_there_too_much():
    texts = [
        written(True, [-0.1] * 3, [50, 40, HOLDS[1]], [0.0, 0.1, 0.0]),  # wrong: points into the hold
        written(True, [-0.1] * 2, [60, 50], [0.0, 0.6]),  # wrong: looks there
        written(False, [-0.1] * 4, [60, 50, 40, 30], [0.0, 0.1, 0.2, 0.3]),
    ]
    rule = chosen.choose_set(texts, hold=1)
    assert (rule.set, rule.hold, rule.tail_mass_below) == (0, 1, pytest.approx(0.6))
    assert chosen.worth(texts, rule) == chosen.Worth(auc=1.0, caught=1.0, held_for_nothing=0.0)
    careless = chosen.worth(texts, Rule(0, 0, 1.0))
    assert (careless.caught, careless.held_for_nothing) == (0.0, 0.0)


def test_the_hold_is_the_one_that_serves_both_texts():
    near = [written(True, [-1.0] * 2, [60, HOLDS[0]], [0.0, 0.0]), written(False, [-1.0] * 2, [60, HOLDS[1]], [0, 0])]
    far = [written(True, [-1.0] * 2, [60, HOLDS[0]], [0.0, 0.0]), written(False, [-1.0] * 2, [60, HOLDS[2]], [0, 0])]
    assert chosen.choose_hold([near, far]) == 0


def test_a_piece_is_sure_enough_where_one_in_a_thousand_is_wrong():
    right = [written(False, [-0.01 * i / 1000], [9], [0.0]) for i in range(2000)]
    wrong = [written(True, [logprob], [9], [0.0]) for logprob in (*[-0.5] * 9, -0.005)]
    threshold = chosen.choose_sure([*right, *wrong])
    assert -0.5 <= threshold < -0.019
    assert chosen.settled([*right, *wrong], threshold) == (pytest.approx(2001 / 2010), pytest.approx(1 / 2001))
    assert chosen.share_wrong([*right, *wrong]) == 10 / 2010


def test_a_piece_is_as_sure_as_the_least_sure_before_it():
    text = written(True, [-0.01, -2.0, -0.02], [9, 9, 9], [0.0] * 3)
    assert chosen.settled([text], -0.1) == (pytest.approx(1 / 3), 0.0)


def test_where_sureness_tells_nothing_there_is_no_threshold():
    texts = [written(True, [-0.01], [9], [0.0]), written(False, [-3.0], [9], [0.0])]
    assert chosen.choose_sure(texts) is None
    assert chosen.choose_sure(texts[1:]) is None


def test_clips_are_always_the_same_and_never_longer_than_asked():
    job = Job("choose", "zh", 3, 2)
    texts = [[spoken.sentence.zh.written for spoken in clip.spoken] for clip, _ in watched.clips(job)]
    assert texts == [[spoken.sentence.zh.written for spoken in clip.spoken] for clip, _ in watched.clips(job)]
    assert all(len(samples) <= watched.LONGEST_S * 16_000 for _, samples in watched.clips(job))
    assert not set(watched.VARIANTS["choose"]) & set(watched.VARIANTS["report"])


def test_too_few_clips_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "_ranked", lambda *_: {("zh", "translate"): [Aim((0, 0), 0.1, 1.0)]})
    monkeypatch.setattr(command.workers, "each", lambda *_, **__: [(0, [])])
    with pytest.raises(ValueError, match="take more"):
        command.calibrate_heads(copied(tmp_path), 1, 1, show=print, show_progress=print)


def test_what_is_found_is_kept_and_told_by_the_translator_once_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    monkeypatch.setattr(augment, "draw_conditions", lambda _: augment.Conditions(gain_db=-6))
    monkeypatch.setattr(watched, "PARTS", 4)
    folder, shown = copied(tmp_path), []

    def here(job, numbers, *_, **__):
        return (job(number, 0) for number in numbers)

    monkeypatch.setattr(command.workers, "each", here)
    command.calibrate_heads(folder, 2, 1, show=shown.append, show_progress=lambda _: None)
    pointers = stored_pointers(folder)
    assert set(pointers) == {
        *(("transcribe", code, code) for code in ("zh", "en")),
        *(("translate", source, target) for source, target in (("zh", "en"), ("en", "zh"))),
    }
    assert all(pointer.gate.hold in [640 * hold for hold in HOLDS] for pointer in pointers.values())
    assert pointers["transcribe", "zh", "zh"].gate.hold == pointers["translate", "zh", "en"].gate.hold
    assert len("\n".join(shown).splitlines()) == 2 + 4 + 2
    assert "kept in" in shown[-1]
    capabilities = QwenAudioTranslator(str(folder), "cpu").load(lambda _: None)
    trusted = {key: pointer.gate for key, pointer in pointers.items() if pointer.is_trusted}
    assert capabilities.gates == trusted
    assert capabilities.points == bool(trusted)
