from hypothesis import settings

# No test measures time, so none may fail for it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
