"""Policies compared on long talks, under a clock that advances by what computing costs."""
