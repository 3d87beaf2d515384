"""The ground: one tree of errors, frozen values, named seeds, files that are whole or not there."""
