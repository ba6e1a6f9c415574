"""The commands, one file each: `add_parser` says what words it takes, `run` does it and returns an exit status.

At module level they import neither torch nor PySide6, so that `tongchuan --help` is quick.
"""
