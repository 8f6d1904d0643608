"""The top floor: wires the rooms together at start-up."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Project home, the commands `up`, `demo`, `doctor`, and the API root."""

    name = "config"

    def ready(self) -> None:
        """The administration carries the product's name."""
        from django.contrib import admin

        admin.site.site_header = admin.site.site_title = "Taxon"
