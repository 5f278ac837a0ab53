"""One vendor or local model a file, each in one role; none knows another."""
