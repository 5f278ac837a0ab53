"""Calls that share a wire: one stream between two processes carries the messages of many."""
