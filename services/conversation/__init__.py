"""Owns the live state of conversations: turns, interruptions, what was heard."""
