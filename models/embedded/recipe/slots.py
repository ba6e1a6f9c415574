"""All slots of the grammar by kind: what may stand in {person}, {date}, {money}, ... of a template."""

from models.embedded.recipe.grammar_types import Filler
from models.embedded.recipe.slots_business import BUSINESS_SLOTS
from models.embedded.recipe.slots_talk import TALK_SLOTS
from models.embedded.recipe.slots_values import VALUE_SLOTS
from models.embedded.recipe.slots_words import WORD_SLOTS

SLOTS: dict[str, tuple[Filler, ...]] = WORD_SLOTS | VALUE_SLOTS | BUSINESS_SLOTS | TALK_SLOTS
