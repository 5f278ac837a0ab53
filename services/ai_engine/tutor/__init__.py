"""The rules of the scenario tutor: plain Python that plays a role-play written as data."""
