"""File → table → codes: readers, schema, codec, packed codes, profile, runs, windows, streams."""
