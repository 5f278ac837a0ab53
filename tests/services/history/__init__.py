"""Tests of the history service."""
