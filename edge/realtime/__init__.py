"""The OpenAI Realtime dialect, GA, in front of Converse: `/v1/realtime` and its ephemeral keys."""
