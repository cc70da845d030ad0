"""Settings of the tests: the real ones on a database of their own, with a cheap password hasher."""

from tests.database import prepare

prepare()  # before the settings are read: they name the database

from webapp.settings.base import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
