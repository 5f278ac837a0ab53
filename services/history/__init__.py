"""The history service: the lasting memory of what happened in conversations."""
