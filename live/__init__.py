"""Sound in, captions out: sources, voice activity, utterances, queues, policy, sessions. No Qt, no torch, no command line."""
