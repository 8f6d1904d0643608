"""Styles and scripts under hashed names, with the imports between ES modules rewritten too."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Cached for ever by browsers; a missing file shows its plain name rather than failing the page."""

    support_js_module_import_aggregation = True
    manifest_strict = False

    def create_compressor(self, **options: Any) -> Compressor:
        """Gzip alone, and not for source maps: Brotli would hold up the first start by 20 s."""
        skipped = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
        return Compressor(**{**options, "use_brotli": False, "extensions": skipped})
