"""The media service: the lasting sound of conversations."""
