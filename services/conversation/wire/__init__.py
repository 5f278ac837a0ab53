"""Translates between the contract and the domain."""
