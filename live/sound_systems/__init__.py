"""What each operating system has to say about sound devices: which there are, and what one of them hears."""
