"""Django's settings, read from the environment; no variable set at all gives a working product."""

import sys
from urllib.parse import urlparse

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.embedded import socket_path
from config.env import (
    ROOT,
    data_folder,
    env_bool,
    env_database,
    env_int,
    env_list,
    env_path,
    env_secret,
    env_str,
)
from web import logs
from web.storage import storage_settings

DATA_DIR = data_folder()
DEBUG = env_bool("DEBUG", False)
BASE_URL = env_str("TAXON_BASE_URL").rstrip("/")
TESTING = "pytest" in sys.modules

# ---- secrets ---------------------------------------------
_key_file = DATA_DIR / "secret_key"
SECRET_KEY = env_secret("SECRET_KEY") or (_key_file.read_text().strip() if _key_file.exists() else "")
if len(set(SECRET_KEY)) < 8 or len(SECRET_KEY) < 32 or SECRET_KEY.startswith("django-insecure-"):
    raise ImproperlyConfigured(
        "SECRET_KEY is missing or weak: set it to 50 random characters, or leave it unset and start with"
        " `python manage.py up`, which keeps one in the data folder."
    )
if DEBUG and BASE_URL.startswith("https://"):
    raise ImproperlyConfigured(
        "DEBUG shows settings and code to everybody: unset it, or unset TAXON_BASE_URL."
    )

# ---- who may talk to us ---------------------------------------------
_base = urlparse(BASE_URL) if BASE_URL else None
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
if _base and _base.hostname:
    ALLOWED_HOSTS.append(_base.hostname)
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [f"{_base.scheme}://{_base.netloc}"] if _base else [])
if _base and _base.path:
    FORCE_SCRIPT_NAME = _base.path
    # Beside another site of the same host, whose cookies may have the same names.
    SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = _base.path
if _base and _base.scheme == "https":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env_int("TAXON_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = env_bool("TAXON_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
TRUSTED_PROXIES = env_list("TAXON_FORWARDED_ALLOW_IPS", ["127.0.0.1", "::1"])
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSP = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# ---- the house ---------------------------------------------
INSTALLED_APPS = [
    "config",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_prometheus",
    "django_rq",
    "ninja",  # so that the API's documentation page comes from our own static files
    "web",
    "projects",
    "jobs",
    "datasets",
    "training",
    "serving",
]
MIDDLEWARE = [
    "web.logs.RequestIds",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "web.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "web.middleware.OperatorsOnly",
    "projects.proving.ProofNeeded",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "web.middleware.TextOnly",
    "web.middleware.Refusals",
    "web.unavailable.SecondTry",
    "web.idempotency.IdempotencyMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- database, queue, files ---------------------------------------------
DATABASES = {"default": env_database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'taxon.sqlite3'}")}

REDIS_URL = env_secret("REDIS_URL", f"unix://{socket_path(DATA_DIR)}")
QUEUES = ("quick", "bulk", "training")
RQ_QUEUES = {
    name: {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": -1,
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
    for name in QUEUES
}
RQ = {"COMMIT_MODE": "auto"}

STORAGE_URL = env_str("TAXON_STORAGE", "file")
MEDIA_ROOT = DATA_DIR / "files"
try:
    _files = storage_settings(
        STORAGE_URL, MEDIA_ROOT, env_str("AWS_ENDPOINT_URL"), env_str("TAXON_S3_LINKS", "off")
    )
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from error
STORAGES = {
    "default": _files,
    "staticfiles": {"BACKEND": "web.staticfiles.HashedStaticFiles"},
}
STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or TESTING
FILE_UPLOAD_TEMP_DIR = env_path("TAXON_UPLOAD_TEMP_DIR")
FILE_UPLOAD_PERMISSIONS = 0o640

# ---- people ---------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
PASSWORD_RESET_TIMEOUT = 24 * 3600  # of a link that the operator handed over
PROOF_MINUTES = max(1, env_int("TAXON_OPERATOR_PASSWORD_MINUTES", 30))  # then operators type it again
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
ADMIN_USER = env_str("TAXON_ADMIN_USER")
ADMIN_PASSWORD = env_secret("TAXON_ADMIN_PASSWORD")

# ---- mail ---------------------------------------------
_mail = env_secret("EMAIL_URL")
vars().update(environ.Env.email_url_config(_mail or "consolemail://"))
MAIL_SERVER = bool(_mail)  # without one nobody is promised an e-mail
DEFAULT_FROM_EMAIL = env_str(
    "TAXON_MAIL_FROM", f"taxon@{_base.hostname if _base and _base.hostname else 'localhost'}"
)
EMAIL_TIMEOUT = 20

# ---- languages ---------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = env_str("TZ", "UTC")

# ---- limits (bytes are bytes; MB = 1024²) ---------------------------------------------
MB = 1024**2
MAX_FILE_BYTES = env_int("TAXON_MAX_FILE_MB", 10) * MB
MAX_PIXELS = env_int("TAXON_MAX_MEGAPIXELS", 50) * 1_000_000
MAX_ARCHIVE_BYTES = env_int("TAXON_MAX_ARCHIVE_MB", 5 * 1024) * MB
STRICT_IMAGE_LIMITS = env_bool("TAXON_STRICT_IMAGE_LIMITS", False)
MAX_LABELS = env_int("TAXON_MAX_LABELS", 1000)
TRASH_DAYS = max(1, env_int("TAXON_TRASH_DAYS", 30))  # then the trash is emptied by itself
EXPORT_DAYS = max(1, env_int("TAXON_EXPORT_DAYS", 7))  # so long the zip of an export can be fetched
LINKS = env_bool("TAXON_LINKS", True)  # may imports fetch links
LINK_PORTS = [int(port) for port in env_list("TAXON_LINK_PORTS", ["80", "443"])]
WEBHOOKS = env_bool("TAXON_WEBHOOKS", True)  # may projects send notices to addresses of their own
LINK_NETWORKS = env_list("TAXON_LINK_NETWORKS", [])  # private ones, open all the same
MAX_PREDICTION_IMAGES = 32
MAX_VALIDATION_IMAGES = 10
# Files go straight to disk; these bound the form around them (a bulk tag may name 100,000 images).
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DATA_UPLOAD_MAX_NUMBER_FILES = 2_000

# ---- models ---------------------------------------------
WEIGHTS_DIR = env_path("TAXON_WEIGHTS_DIR")
WEIGHTS_DOWNLOAD = env_bool("TAXON_WEIGHTS_DOWNLOAD", True)  # from torchvision's hub what the folder lacks
TRAINING_THREADS = env_int("TAXON_TRAINING_THREADS", 0)  # 0: all cores but one
INFERENCE_THREADS = env_int("TAXON_INFERENCE_THREADS", 1)

METRICS_TOKEN = env_secret("TAXON_METRICS_TOKEN")

LOGGING = logs.settings_for(
    level=env_str("TAXON_LOG_LEVEL", "INFO"),
    as_json=env_str("TAXON_LOG_FORMAT") == "json",
    every_request=env_bool("TAXON_ACCESS_LOG", False),
)
DEFAULT_EXCEPTION_REPORTER_FILTER = "web.reports.Hiding"
