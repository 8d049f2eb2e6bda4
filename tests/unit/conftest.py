"""Properties are held on busy machines too: hypothesis judges what is said, not how fast."""

from hypothesis import settings

settings.register_profile("unit", deadline=None, print_blob=True)
settings.load_profile("unit")
