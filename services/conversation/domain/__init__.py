"""The rules of a conversation, without I/O."""
