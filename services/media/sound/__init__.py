"""Reads and writes sound files; runs in a process of its own, with bounds the system keeps."""
