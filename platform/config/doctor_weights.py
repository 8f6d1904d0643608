"""The doctor's look at pretrained weights: which files lie here, whether they are whole, who takes which."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from config.doctor import Finding, fail, ok, warn
from training.extractors import downloads, hub_may_be_asked, weights_here
from training.hub import ADDRESS, FILES
from training.profiles import PROFILES, Profile

MB = 1024**2
HUB_NAME = re.compile(r"-([0-9a-f]{8,})\.pth$")


def weights() -> Iterator[Finding]:
    """The operator's folder and what was downloaded, file by file."""
    folder: Path | None = settings.WEIGHTS_DIR
    if folder is None:
        says = _("TAXON_WEIGHTS_DIR is not set.")
        yield warn(_("Weights"), says, _("Point it at a folder of torchvision state dicts (*.pth)."))
    elif not folder.is_dir():
        says = _("%(folder)s is not a folder.") % {"folder": folder}
        yield fail(_("Weights"), says, _("Set TAXON_WEIGHTS_DIR anew."))
    elif not any(folder.glob("*.pth")):
        says = _("%(folder)s holds no *.pth.") % {"folder": folder}
        yield warn(_("Weights"), says, _("Put state dicts there."))
    for place in (folder, downloads()):
        for file in sorted(place.glob("*.pth")) if place and place.is_dir() else []:
            yield weight(file)


def weight(file: Path) -> Finding:
    """One file: its size, its whole checksum, and the applications that would start from it."""
    name = _("Weights")
    try:
        size = file.stat().st_size / MB
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return fail(name, f"{file.name}: {error.strerror}", _("Make the file readable."))
    promised = HUB_NAME.search(file.name)
    if promised and not digest.startswith(promised[1]):
        says = _("%(file)s is damaged: its name promises another checksum.") % {"file": file.name}
        return fail(name, says, _("Fetch it again."))
    takers = [profile.application.value for profile in PROFILES.values() if taken(profile) == file]
    used = _("for %(applications)s") % {"applications": ", ".join(takers)} if takers else _("not used")
    return ok(name, f"{file.name} sha256 {digest}, {size:.1f} MB, {used}")


def taken(profile: Profile) -> Path | None:
    """The file that a training for this application would start from now."""
    return next((file for each in profile.backbones if (file := weights_here(each))), None)


def wanted() -> Iterator[Finding]:
    """For each application whether its first choice is here; where to get it, if not."""
    for profile in PROFILES.values():
        first, file = profile.backbones[0], taken(profile)
        if weights_here(first):
            continue
        name = _("Weights for %(application)s") % {"application": profile.application.value}
        values = {"network": first, "file": file.name if file else "", "address": ADDRESS + FILES[first]}
        if file:
            says = _("%(network)s would be better; it starts from %(file)s.") % values
        elif hub_may_be_asked():
            says = _("None here; %(network)s is downloaded when it is needed.") % values
        else:
            says = _("None; it is trained from scratch, with weak results.")
        mend = _("Put %(address)s into TAXON_WEIGHTS_DIR, under that name or as %(network)s.pth.") % values
        yield warn(name, says, mend)


LOOKS = (weights, wanted)
