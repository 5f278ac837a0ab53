"""Tests of the rules about people and logins."""
