"""The user service: accounts, guests, login sessions, tokens, profiles."""
