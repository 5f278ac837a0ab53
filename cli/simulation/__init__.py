"""Learners as scripts, and what plays them: against a real mesh, or against the session's rules on a virtual clock."""
