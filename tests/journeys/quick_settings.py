"""The site's settings with a cheap password hasher: a hundred scenes make people and sign them in."""

from webapp.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
