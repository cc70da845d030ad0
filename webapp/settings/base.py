"""The settings that every installation shares."""

import os
from pathlib import Path

from webapp.settings.home import database_settings, installation_secret
from webapp.settings.mail import mail_settings
from webapp.settings.storage import archive_storage

BASE_DIR = Path(__file__).resolve().parents[2]
GROUNDGLASS_HOME = Path(os.environ.get("GROUNDGLASS_HOME", BASE_DIR / "var")).resolve()

SECRET_KEY = installation_secret(GROUNDGLASS_HOME, "django")
# Keys pseudonyms and UIDs (intake) and nothing else; losing it means new pseudonyms for known patients.
PSEUDONYM_KEY = installation_secret(GROUNDGLASS_HOME, "pseudonyms")
# Encrypts originals while they wait in quarantine.
QUARANTINE_KEY = installation_secret(GROUNDGLASS_HOME, "quarantine")

# Originals are held this long after their batch ended; a series counts as complete when nothing came for so long.
QUARANTINE_HOLD_DAYS = float(os.environ.get("QUARANTINE_HOLD_DAYS", "7"))
INTAKE_QUIET_S = float(os.environ.get("INTAKE_QUIET_S", "30"))
# How often one person's programs may ask the API, in each web process.
API_RATE = os.environ.get("API_RATE", "600/minute")
INTAKE_BROKEN_OFF_S = float(os.environ.get("INTAKE_BROKEN_OFF_S", "3600"))

# Where the heads of the audit trail's chains go every day: best a place that this server can add to and not change.
AUDIT_HEADS_DIR = os.environ.get("AUDIT_HEADS_DIR", "") or str(GROUNDGLASS_HOME / "audit-heads")
AUDIT_HEADS_EMAIL = [a.strip() for a in os.environ.get("AUDIT_HEADS_EMAIL", "").split(",") if a.strip()]

# For whom the linkage table is sealed; empty: none is kept.
LINKAGE_PUBLIC_KEY = os.environ.get("LINKAGE_PUBLIC_KEY", "")

DEBUG = os.environ.get("GROUNDGLASS_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
# So many proxies of the installation's own stand in front: what the trail keeps as an address is what they were told.
TRUSTED_PROXIES = int(os.environ.get("TRUSTED_PROXIES", "0"))
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "procrastinate.contrib.django",
    "webapp.jobs",
    "webapp.audit",
    "webapp.accounts",
    "webapp.notices",
    "webapp.archive",
    "webapp.masks",
    "webapp.algorithms",
    "webapp.campaigns",
    "webapp.readings",
    "webapp.releases",
    "webapp.pages",
    "webapp.intake",
]

MIDDLEWARE = [
    "webapp.audit.origin.OriginMiddleware",
    "webapp.edge.headers.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "webapp.pages.noticing.NoticingMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database_settings(GROUNDGLASS_HOME)}
# The role of the running site: migrations take UPDATE and DELETE on append-only tables away from it.
SITE_DATABASE_ROLE = os.environ.get("SITE_DATABASE_ROLE", "groundglass_site")

STORAGES = {
    "default": archive_storage(GROUNDGLASS_HOME),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = GROUNDGLASS_HOME / "static"
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
# Vite already hashes its names: they are collected as they are, under static/viewer/.
STATICFILES_DIRS = [("viewer", FRONTEND_DIST)] if FRONTEND_DIST.is_dir() else []

# Notices by e-mail: none is sent until an address of a mail server is given (webapp.settings.mail).
MAIL = mail_settings(os.environ.get("GROUNDGLASS_EMAIL_URL", ""))
EMAIL_BACKEND = MAIL.backend
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = MAIL.starttls, MAIL.tls, 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("GROUNDGLASS_EMAIL_FROM", "groundglass@localhost")
# What links in e-mail begin with.
SITE_ADDRESS = os.environ.get("GROUNDGLASS_SITE_ADDRESS", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}")

# What networks run on in a worker: auto, cpu, cuda, cuda:1.
GROUNDGLASS_DEVICE = os.environ.get("GROUNDGLASS_DEVICE", "") or "auto"

# Whom people ask who cannot sign in, in words ("radiology IT, 4711"); empty: an administrator.
CONTACT = os.environ.get("GROUNDGLASS_CONTACT", "").strip()
# How long a link to a new password works.
PASSWORD_RESET_TIMEOUT = 3600

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# One uploaded DICOM file is streamed to disk; this bounds what a request may hold in memory beside it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 1000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "webapp.accounts.authentication.AccessTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PARSER_CLASSES": [
        "webapp.edge.json_bodies.BoundedJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["webapp.accounts.throttling.ProgramThrottle"],
    "EXCEPTION_HANDLER": "webapp.audit.answers.answer_to",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Groundglass",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"addresses": {"()": "webapp.edge.logs.WithoutUids"}},
    # Django names the address of each request that it refuses; senders put UIDs of their own into it.
    "loggers": {"django.request": {"filters": ["addresses"]}},
}
