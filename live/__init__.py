"""Sound in, captions out: sources, voice activity, utterances, policy, sessions. No Qt, no torch, no command line."""
