"""Which heads of a checkpoint point into the sound, and what that is worth: measured on synthetic speech."""
