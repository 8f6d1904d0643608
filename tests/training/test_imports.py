"""What a web process must not load: it has to stay small and start at once."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
sys.path[:0] = [".", "platform"]
import django
django.setup()
import config.urls, training.api, training.views, training.views.runs, training.views.reports, training.admin
print(sorted(set(sys.modules) & {"torch", "torchvision", "pytorch_lightning", "sklearn", "scipy", "onnx"}))
"""


def test_the_site_loads_neither_torch_nor_scikit_learn(tmp_path: Path) -> None:
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert answer.stdout.strip() == "[]", answer.stderr
