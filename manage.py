#!/usr/bin/env python
"""The one command-line entry; puts platform/ on the import path."""

import os
import sys
from pathlib import Path

# Not a package: `platform` is also a module of the standard library, which must stay importable.
sys.path.insert(1, str(Path(__file__).resolve().parent / "platform"))


def main() -> None:
    """Prepare the data folder where the embedded defaults need one, then hand over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.embedded import prepare_data_folder
    from config.env import BadEnvironment, data_folder

    if not (os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")):
        prepare_data_folder(data_folder())
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except (BadEnvironment, ImproperlyConfigured) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
