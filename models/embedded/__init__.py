"""The checkpoint that ships with the program: a small Qwen-Audio of the project's own, and the recipe that made it."""
