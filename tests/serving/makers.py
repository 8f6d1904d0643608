"""A tiny real model for tests: the mean colour of a picture becomes the scores of its labels."""

import hashlib
import json
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from datasets.pixels import spec_for
from projects.models import Project
from serving.models import Service, ServiceState
from serving.publication import request_service
from tests.factories import Team
from training.models import ModelVersion, RegisteredModel, VersionState
from web.storage import put_bytes

COLOURS = ("红", "绿", "蓝")
SIDE = 32
SHARPNESS = 4.0  # pure red gives 红 about 0.965


@cache
def colour_model(labels: tuple[str, ...] = COLOURS, sharpness: float = SHARPNESS, side: int = SIDE) -> bytes:
    """ONNX: images uint8 [n, side, side, 3] → embedding (mean colour, 0..1), scores (softmax of it)."""
    spread = np.zeros((3, len(labels)), np.float32)
    spread[np.arange(3), np.arange(3)] = sharpness
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Div", ["mean", "white"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "spread"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", side, side, 3])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", len(labels)]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3]),
        ],
        [numpy_helper.from_array(np.float32(255), "white"), numpy_helper.from_array(spread, "spread")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in metadata(labels, side).items():
        model.metadata_props.append(onnx.StringStringEntryProto(key=key, value=value))
    return model.SerializeToString()


def metadata(labels: tuple[str, ...] = COLOURS, side: int = SIDE) -> dict[str, str]:
    """What training writes into a model file."""
    return {
        "labels": json.dumps(labels, ensure_ascii=False),
        "pixel_spec": spec_for(side).to_json(),
        "taxon": json.dumps({"made_by": "tests"}),
    }


def make_version(
    project: Project, *, labels: tuple[str, ...] = COLOURS, sharpness: float = SHARPNESS, name: str = "颜色"
) -> ModelVersion:
    """A trained version whose file is in storage, the next of its model."""
    data = colour_model(labels, sharpness)
    model, _ = RegisteredModel.objects.get_or_create(project=project, name=name)
    return ModelVersion.objects.create(
        model=model,
        number=model.versions.count() + 1,
        application="cloud-general",
        state=VersionState.SUCCEEDED,
        usable=True,
        labels=list(labels),
        file_key=put_bytes("models", data, ".onnx"),
        file_sha256=hashlib.sha256(data).hexdigest(),
        file_bytes=len(data),
    )


def make_service(team: Team, *, slug: str = "colours", online: bool = True, **more: Any) -> Service:
    """A service over a fresh version of the colour model, online without the wait."""
    version = more.pop("version", None) or make_version(team.project)
    threshold = more.pop("threshold", None)
    service = request_service(
        project=team.project,
        version=version,
        name="Colours",
        slug=slug,
        by=team.people["engineer"],
        threshold=threshold,
    )
    if online:
        Service.objects.filter(pk=service.pk).update(state=ServiceState.ONLINE)
        service.refresh_from_db()
    return service
