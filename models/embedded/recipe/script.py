"""Draws the demonstration meeting: who says what, from sentences that are never trained on.

In: a seed. Out: turns with speakers, voices, sentences and pauses. The outline below is the order of business; which of
its patterns comes, and with what in its slots, is drawn. DEMO_SEED was fixed before the first training and stays as it
is, whatever the score. Voices are held out too. Sound, times and files are not this module's business.
"""

import random
from dataclasses import dataclass

from models.embedded.recipe.grammar import PATTERNS, Language, Sentence, sample_pattern, split_of

DEMO_SEED = 20_261_122

PAUSE_S = (0.15, 0.35)
"""Between two sentences of a turn: too short for an endpoint."""
GAP_S = (0.9, 1.3)
"""After a turn."""
_TRIES = 400


@dataclass(frozen=True, slots=True)
class Speaker:
    """`voice` is an espeak voice with a held-out variant, "en-us+f4"."""

    name: str
    language: Language
    voice: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says without an endpoint. `pauses_s` follow the sentences one by one; the last ends the turn."""

    speaker: str
    language: Language
    voice: str
    sentences: tuple[Sentence, ...]
    pauses_s: tuple[float, ...]


EMMA = Speaker("Emma", "en", "en-us+f4")
LI_MING = Speaker("Li Ming", "zh", "cmn+m5")
WANG_FANG = Speaker("Wang Fang", "zh", "cmn+steph3")

OUTLINE: tuple[tuple[Speaker, tuple[str, ...]], ...] = (
    (EMMA, ("hello_person nice_to_meet", "discuss_today items_on_agenda")),
    (LI_MING, ("will_be_late cannot_come",)),
    (EMMA, ("start_with first_then",)),
    (WANG_FANG, ("in_charge will_present", "turn_to_page look_at_slide")),
    (EMMA, ("rose_percent fell_percent expect_rise",)),
    (LI_MING, ("users_in sold_phones downloaded",)),
    (EMMA, ("budget_money project_cost", "team_spent revenue_in invest_in")),
    (WANG_FANG, ("raise_budget cut_costs",)),
    (EMMA, ("device_problem device_broken system_slow",)),
    (LI_MING, ("will_repair will_upgrade", "is_doing has_already has_not_yet")),
    (EMMA, ("when_can_you can_you_task",)),
    (WANG_FANG, ("before_date take_span before_weekday",)),
    (EMMA, ("need_goods city_ordered", "send_goods goods_in_store")),
    (WANG_FANG, ("did_past doc_sent_to sent_me_docs", "mistake_on_page should_task")),
    (EMMA, ("plan_to_hire will_attend team_size",)),
    (LI_MING, ("flying_to will_arrive flight_at", "will_stay held_in_city")),
    (EMMA, ("starts_day_at meet_day_at from_to_clock",)),
    (WANG_FANG, ("room_number extension_is meeting_code",)),
    (EMMA, ("next_meeting moved_to_date", "thanks_help")),
    (LI_MING, ("see_you_when lunch_together",)),
)
"""Speaker, and for each sentence of the turn the patterns it may be drawn from."""

_BY_NAME = {pattern.name: pattern for pattern in PATTERNS}


def draw(seed: int = DEMO_SEED) -> list[Turn]:
    """The meeting of a seed. Every sentence is of a held-out split, none comes twice."""
    rng = random.Random(seed)
    drawn: set[Sentence] = set()
    turns = []
    for speaker, choices in OUTLINE:
        sentences = []
        for names in choices:
            sentence = _draw_sentence(rng, names.split(), speaker, drawn)
            drawn.add(sentence)
            sentences.append(sentence)
        pauses = [round(rng.uniform(*PAUSE_S), 2) for _ in sentences[1:]] + [round(rng.uniform(*GAP_S), 2)]
        turns.append(Turn(speaker.name, speaker.language, speaker.voice, tuple(sentences), tuple(pauses)))
    return turns


def _draw_sentence(rng: random.Random, names: list[str], speaker: Speaker, drawn: set[Sentence]) -> Sentence:
    """A held-out sentence of one of the patterns, in which speakers do not speak of themselves by name."""
    for name in rng.sample(names, len(names)):
        for _ in range(_TRIES):
            sentence = sample_pattern(rng, _BY_NAME[name])
            speaks_of_self = any(filler == speaker.name for _, filler in sentence.fillers)
            if split_of(sentence) != "train" and sentence not in drawn and not speaks_of_self:
                return sentence
    raise ValueError(f"no held-out sentence found for any of {names}")
