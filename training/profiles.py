"""The one table of what a version is for: which backbones, in which order, at which input size."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training.models import Application


@dataclass(frozen=True)
class Profile:
    """What an application asks for. `backbones` in order of preference; the first whose weights can be had is
    taken. `accuracy`, `speed` and `lightness` rank the four applications from 1 (least) to 4."""

    application: Application
    backbones: tuple[str, ...]
    size: int
    text: "str | Promise"
    accuracy: int
    speed: int
    lightness: int


PROFILES = {
    profile.application: profile
    for profile in (
        Profile(
            Application.CLOUD_GENERAL,
            (
                "mobilenet_v2",
                "resnet18",
                "mobilenet_v3_large",
                "efficientnet_b0",
                "regnet_y_800mf",
                "regnet_y_400mf",
                "mobilenet_v3_small",
                "squeezenet1_1",
            ),
            224,
            _("A good balance for a server. Start here."),
            3,
            2,
            2,
        ),
        Profile(
            Application.CLOUD_ACCURATE,
            (
                "efficientnet_v2_s",
                "convnext_tiny",
                "efficientnet_b0",
                "resnet50",
                "regnet_y_800mf",
                "regnet_y_400mf",
                "mobilenet_v3_large",
                "mobilenet_v2",
                "resnet18",
                "mobilenet_v3_small",
                "squeezenet1_1",
                "vit_b_16",  # 25 times the work of EfficientNet-B0: where nothing else is to be had
            ),
            224,
            _("As right as can be; a larger file and slower answers."),
            4,
            1,
            1,
        ),
        Profile(
            Application.EDGE_GENERAL,
            ("mobilenet_v2", "mobilenet_v3_large", "regnet_y_400mf", "mobilenet_v3_small", "squeezenet1_1"),
            224,
            _("For phones and small computers, still accurate."),
            2,
            3,
            3,
        ),
        Profile(
            Application.EDGE_FAST,
            ("squeezenet1_1", "mobilenet_v3_small", "mobilenet_v2"),
            224,
            _("The smallest file and the quickest answers."),
            1,
            4,
            4,
        ),
    )
}
DEFAULT = PROFILES[Application.CLOUD_GENERAL]
SCRATCH_SIZE = 64  # a small network of our own, where no weights can be had


def profile_of(application: str) -> Profile:
    """The profile of an application, by its name in the API."""
    return PROFILES[Application(application)]
