"""What language models are told before they answer as the tutor."""
