"""What an engine is, in plain Python."""
