"""The rules about recordings: plain Python, without I/O."""
