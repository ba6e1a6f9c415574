"""How the embedded model is made: a bilingual grammar, speech synthesised from it, training and scoring."""
