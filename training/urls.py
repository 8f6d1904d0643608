"""The room's pages."""

from django.urls import URLPattern

app_name = "training"
urlpatterns: list[URLPattern] = []
