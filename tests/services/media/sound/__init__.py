"""Tests of the reading and writing of sound files."""
