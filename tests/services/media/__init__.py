"""Tests of the media service."""
