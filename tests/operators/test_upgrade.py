"""A data folder of each earlier release starts under this code, and all that was in it still works."""

import json
import tarfile
from pathlib import Path

import pytest

from config.demo import Api
from tests.product import USER, running

RELEASES = sorted(Path(__file__).parents[1].glob("fixtures/upgrade/*.tar.gz"))


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name.removesuffix(".tar.gz"))
def test_a_data_folder_of_an_earlier_release_starts_and_answers(release: Path, tmp_path: Path) -> None:
    with tarfile.open(release) as tar:
        tar.extractall(tmp_path, filter="data")
    name = release.name.removesuffix(".tar.gz")
    kept = json.loads(release.with_name(f"{name}.json").read_text())
    with running(tmp_path / "data", TAXON_WEIGHTS_DIR="", TAXON_WEIGHTS_DOWNLOAD="0") as product:
        api = Api(product.url, product.manage("token", USER))
        asked = release.with_name(f"{name}.jpg").read_bytes()
        answer = Api(product.url, kept["token"]).send(
            "/services/shapes/predict", "images", [("a.jpg", asked)]
        )
        assert answer == kept["answer"]
        assert len(api.get(f"/datasets/{kept['dataset']}/images")["items"]) == kept["images"]
        report = api.get(f"/models/{kept['model']}/versions/1/report")
        assert 0 <= report["overall"]["accuracy"]["value"] <= 1
        assert product.manage("verify") == "Everything is in order."
    assert release.stat().st_size < 1024**2
