"""What is asked of the translator for an utterance, and what of its answer is shown.

In: utterances as they grow, and hypotheses. Out: requests, and captions. Pure Python, and no clock but the samples:
threads, queues, models and screens are not its business.
"""

from live.policy.base import LivePolicy, Policy
from live.policy.direction import Direction
from live.policy.load import Level, Load
from live.policy.modes import shown
from live.policy.pace import Pace
from live.policy.retranslation import Retranslation
from live.policy.streaming import Streaming
from live.policy.text import readable, units, words

__all__ = [
    "Direction",
    "Level",
    "LivePolicy",
    "Load",
    "Pace",
    "Policy",
    "Retranslation",
    "Streaming",
    "readable",
    "shown",
    "units",
    "words",
]
