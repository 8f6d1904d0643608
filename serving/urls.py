"""The room's pages."""

from django.urls import URLPattern

app_name = "serving"
urlpatterns: list[URLPattern] = []
