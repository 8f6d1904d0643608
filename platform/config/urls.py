"""Every address of the site."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from config import home
from config.api import api, unknown
from web import health

handler500 = "web.unavailable.handler500"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("projects/<int:pk>/", home.project_home, name="project"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("accounts/", include("projects.account_urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", api.urls),
    re_path(r"^api/(?P<rest>.*)$", unknown),
    # One way in for everybody, so that guessing is slowed down there too.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password_change")),
    path("admin/", admin.site.urls),
    path("", include("projects.urls")),
    path("", include("jobs.urls")),
    path("", include("datasets.urls")),
    path("", include("training.urls")),
    path("", include("serving.urls")),
]
