"""The kinds of engines, and what they are made of."""
