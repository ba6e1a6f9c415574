"""The exit statuses of the command; 2, wrong usage, is argparse's own."""

DONE = 0
FAILED = 1
"""A LiveError or ModelError, said in one line."""
INTERRUPTED = 130
"""Ctrl-C."""
