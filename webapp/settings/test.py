"""Settings of the tests: the real ones, with a cheap password hasher and files in a folder that pytest gives."""

from webapp.settings.base import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
