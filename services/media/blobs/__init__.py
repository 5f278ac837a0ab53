"""Where the bytes of recordings are kept: one file for each kind of store."""
