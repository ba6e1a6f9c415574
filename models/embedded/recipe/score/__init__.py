"""How good a checkpoint is on what it was never trained on: items, answers, figures, and the table of them."""

from models.embedded.recipe.score.items import reference_clips

__all__ = ["reference_clips"]
