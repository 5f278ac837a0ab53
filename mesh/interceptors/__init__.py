"""What each call passes on its way to a handler: tracing, errors, auth, validation."""
