"""Styles and scripts under hashed names, with the imports between ES modules rewritten too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Cached for ever by browsers; a missing file shows its plain name rather than failing the page."""

    support_js_module_import_aggregation = True
    manifest_strict = False
