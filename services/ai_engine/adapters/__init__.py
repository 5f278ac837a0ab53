"""What providers share: ONNX models, pictures of sound, clauses, word times."""
