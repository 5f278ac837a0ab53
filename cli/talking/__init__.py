"""A learner's side of a conversation: microphone, loudspeaker and the wire between them and a mesh."""
