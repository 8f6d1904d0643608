"""The top floor: wires the rooms together at start-up."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Project home, the commands `up`, `demo`, `doctor`, and the API root."""

    name = "config"
