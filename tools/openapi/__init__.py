"""Writes the OpenAPI document of the REST door from the contract."""
