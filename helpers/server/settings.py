"""Django's settings, all of them given through environment variables.

| variable | meaning | default |
|---|---|---|
| `SEGMENTATION_SERVER_SECRET` | signs cookies; a long random text that nobody else knows | none: refuses to start |
| `SEGMENTATION_SERVER_HOSTS` | public names, space-separated; then only HTTPS is spoken | this machine only, HTTP |
| `SEGMENTATION_SERVER_PROXIES` | proxies in front that set `X-Forwarded-For` and `-Proto` | 0 |
| `SEGMENTATION_SERVER_DB` | `postgresql://user:password@host:port/name`; or SQLite in the folder below | SQLite |
| `SEGMENTATION_SERVER_STATE` | folder of the SQLite file | `server/` in the cache |
| `SEGMENTATION_SERVER_QUEUE` | pictures that may wait or be worked on at once | 64 |
| `SEGMENTATION_SERVER_LEASE` | seconds without a sign of life until another worker takes a picture over | 15 |
| `SEGMENTATION_SERVER_PAGE_RATE` | pictures that one address may send from the page | 30/min |
| `SEGMENTATION_SERVER_TOKEN_RATE` | pictures that one token may send | 600/min |
| `SEGMENTATION_SERVER_READ_RATE` | questions that one address may ask | 1200/min |
| `SEGMENTATION_SERVER_SEGMENTER` | dotted path of the function that loads the model (see worker.py) | the lesson's |
| `SEGMENTATION_SERVER_DEBUG` | 1 shows errors in the browser, for development | 0 |
"""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from helpers.paths import cache_dir

HERE = Path(__file__).resolve().parent
MEGABYTE = 1024 * 1024


def _env(name: str, default: str = "") -> str:
    return os.environ.get(f"SEGMENTATION_SERVER_{name}", "").strip() or default


def _number(name: str, default: int) -> int:
    value = _env(name, str(default))
    if not value.isascii() or not value.isdigit():
        raise ImproperlyConfigured(f"SEGMENTATION_SERVER_{name} is {value!r}; give a whole number, such as {default}")
    return int(value)


def _database() -> dict:
    """Django's description of the database that `SEGMENTATION_SERVER_DB` names, or of the SQLite file."""
    address = _env("DB")
    if not address:
        folder = Path(_env("STATE", str(cache_dir() / "server"))).expanduser()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",  # a transaction that will write waits at its start, never fails at its end
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON",
        }
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "jobs.sqlite3", "OPTIONS": options}
    parts = urlsplit(address)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured(
            f"SEGMENTATION_SERVER_DB begins with {parts.scheme!r}; give postgresql://user:password@host:port/name"
        )
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]  # ?host=/folder is a Unix socket
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": parts.port or "",
        "CONN_HEALTH_CHECKS": True,
    }


# --- Who may talk to it ---

DEBUG = _env("DEBUG") == "1"
SECRET_KEY = _env("SECRET") or (secrets.token_urlsafe(50) if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SEGMENTATION_SERVER_SECRET is not set; set it to a long random text, the same at each start, for instance: "
        'python -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
PUBLIC_HOSTS = _env("HOSTS").split()
ALLOWED_HOSTS = PUBLIC_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
PROXIES = _number("PROXIES", 0)
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# On this machine alone there is no certificate; with a public name there must be one.
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(PUBLIC_HOSTS)
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PUBLIC_HOSTS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(PUBLIC_HOSTS)
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

# --- What it takes ---

UPLOAD_BYTES = 12 * MEGABYTE  # a picture
UPLOAD_PIXELS = 25_000_000
UPLOAD_SIDES = (16, 10_000)  # pixels
REQUEST_BYTES = 2 * UPLOAD_BYTES + MEGABYTE  # picture, background, and the form around them
FILE_UPLOAD_MAX_MEMORY_SIZE = REQUEST_BYTES  # no temporary files
DATA_UPLOAD_MAX_NUMBER_FILES = 2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10

RATES = {
    "page": _env("PAGE_RATE", "30/min"),
    "token": _env("TOKEN_RATE", "600/min"),
    "read": _env("READ_RATE", "1200/min"),
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",  # one web process counts the requests of all
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- The queue ---

QUEUE_SIZE = _number("QUEUE", 64)
LEASE_SECONDS = _number("LEASE", 15)
JOB_SECONDS = 300  # a worker that is busy with one picture for longer hangs
MAX_ATTEMPTS = 3
KEEP_SECONDS = 3600  # results, and pictures that nobody could process
WAIT_SECONDS = 30  # the longest `Prefer: wait`
SEGMENTER = _env("SEGMENTER", "helpers.server.worker.load_segmenter")

# --- Django ---

DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["rest_framework", "drf_spectacular", "helpers.server"]
MIDDLEWARE = [
    "helpers.server.access.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "helpers.server.access.limit_request_size",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "helpers.server.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "static/"
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING_CONFIG = None  # importing the service leaves Python's logging alone; its commands configure their own processes

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "helpers.server.access.explain_error",
    "NUM_PROXIES": PROXIES,
    "UNAUTHENTICATED_USER": None,  # no accounts: an owner is a token or a browser
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Background replacement",
    "DESCRIPTION": "Send a picture of a person, get it back on another background.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "APPEND_COMPONENTS": {"securitySchemes": {"tokenAuth": {"type": "http", "scheme": "bearer"}}},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "helpers.server.serializers.forbid_other_fields",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}
