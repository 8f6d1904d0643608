"""A policy for the queue's dashboard alone: a library's pages whose few inline styles are allowed by their hashes.

They are fixed text in the library's own templates, so what somebody could smuggle into a page has another hash.
Its one inline script stays blocked: it calls a function that Django's admin no longer has.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

PREFIX = "/admin/django_rq/"
STYLE = re.compile(r"<style>(.*?)</style>", re.S)


@cache
def policy(strict: str) -> str:
    """The site's policy, with the dashboard's own styles let through."""
    import django_rq

    hashes = set()
    for template in Path(django_rq.__file__).parent.glob("templates/**/*.html"):
        for style in STYLE.findall(template.read_text(encoding="utf8")):
            digest = hashlib.sha256(style.encode()).digest()
            hashes.add(f"'sha256-{base64.b64encode(digest).decode()}'")
    return f"{strict}; style-src 'self' {' '.join(sorted(hashes))}"
