"""Measures a running mesh against its goals."""
