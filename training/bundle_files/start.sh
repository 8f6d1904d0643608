#!/bin/sh
# Makes a private environment beside this file once, checks the model, and serves it.
set -e
cd "$(dirname "$0")"
[ -d .venv ] || { python3 -m venv .venv && .venv/bin/pip install -r requirements.txt; }
.venv/bin/python self_test.py
exec .venv/bin/python serve.py "$@"
