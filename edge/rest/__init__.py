"""REST, as `google.api.http` in the contract writes it."""
