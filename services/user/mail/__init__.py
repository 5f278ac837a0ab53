"""What the user service writes to people by mail, and how it gets there."""
