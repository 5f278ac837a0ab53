"""What is remarked on a turn beside the talk."""
