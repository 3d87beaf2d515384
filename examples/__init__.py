"""Programs that use anypart as a reader would; the tests run each of them at a small size."""
