"""The embedded database: Django's SQLite backend with a library and a journal that lose nothing."""
