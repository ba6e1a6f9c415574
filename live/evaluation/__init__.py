"""What a session was worth: captions scored against a script, delays and speed from its events."""
