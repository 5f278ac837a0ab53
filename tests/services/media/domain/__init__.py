"""Tests of the rules about recordings."""
