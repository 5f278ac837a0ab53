"""The rules about people and their login sessions: plain Python, without I/O."""
