"""Styles and scripts under hashed names, with the imports between ES modules rewritten too."""

from typing import Any

from django.conf import settings
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Cached for ever by browsers; a missing file shows its plain name rather than failing the page."""

    support_js_module_import_aggregation = True
    manifest_strict = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._urls: dict[str, str] = {}

    def url(self, name: str | None, force: bool = False) -> str:
        """Remembered, for a page names its icons' file some fifty times."""
        if settings.DEBUG or force or not name:
            return str(super().url(name, force))
        if name not in self._urls:
            self._urls[name] = str(super().url(name))
        return self._urls[name]

    def save_manifest(self) -> None:
        """New names from here on."""
        super().save_manifest()
        self._urls.clear()

    def create_compressor(self, **options: Any) -> Compressor:
        """Gzip alone, and not for source maps: Brotli would hold up the first start by 20 s."""
        skipped = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
        return Compressor(**{**options, "use_brotli": False, "extensions": skipped})
