"""Transcripts for other people's programs: captions in; subtitles by the trade's rules, texts and documents out."""
