"""Files of a session: events in; subtitles, event logs and sound out. Owner-only, and whole up to any crash."""
