"""Text from speech: translators, what they are asked and what they answer. Knows nothing of sessions, threads or Qt."""
