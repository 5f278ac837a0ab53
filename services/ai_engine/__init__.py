"""The ai_engine service: hears, thinks, speaks."""
