"""Qwen-Audio in translation mode: front end, checkpoints, tokenizer, prompts, decoding."""
