"""The stores of a real installation (PostgreSQL, Valkey, SeaweedFS), run from pip wheels without containers."""
