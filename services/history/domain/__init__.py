"""The rules of what is remembered, and of what is learnt from it."""
