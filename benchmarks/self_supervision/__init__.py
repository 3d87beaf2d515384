"""Which part predicts which, letters from images and back, and few labels."""
