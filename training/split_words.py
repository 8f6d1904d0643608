"""What befell a version's split, in words: the pinned test set that it was judged on."""

from typing import Any

from django.utils.translation import gettext_noop

from web.sentences import Sentence

SHOWN = 3


def split_sentences(facts: dict[str, Any]) -> list[Sentence]:
    """From `ModelVersion.split_facts` (or a report's `about`), most important first."""
    said = pinned_sentences(facts["pinned"]) if facts.get("pinned") else []
    return said + warm_sentences(facts["warm_start"]) if facts.get("warm_start") else said


def warm_sentences(facts: dict[str, Any]) -> list[Sentence]:
    """What it went on from, and what of the pictures that those weights know became of it."""
    says = gettext_noop(
        "It was to go on from version %(version)s, which knows %(known)s of these pictures: none that it learned"
        " from is held back."
    )
    said = [Sentence(says, version=facts["version"], known=facts["known"])]
    if facts["left_out"]:
        says = gettext_noop(
            "Neither learned from nor measured on, because version %(version)s or one before it learned from them:"
            " %(n)s."
        )
        said.append(Sentence(says, version=facts["version"], n=facts["left_out"]))
    return said


def pinned_sentences(facts: dict[str, Any]) -> list[Sentence]:
    """The test set, what became of its pictures, and what was judged or left out beside it."""
    said = [Sentence(gettext_noop("Judged on the pinned test set of %(n)s pictures."), n=facts["pictures"])]
    if facts["judged"] < facts["pictures"]:
        said.append(
            Sentence(
                gettext_noop(
                    "Of these, %(judged)s could be judged on; %(gone)s are deleted, %(untagged)s have no label any"
                    " more, %(other)s have a label that this version does not know."
                ),
                **{name: facts[name] for name in ("judged", "gone", "untagged", "other")},
            )
        )
    if facts["relabelled"]:
        says = gettext_noop(
            "Tagged otherwise since they were pinned, and judged under their label of now: %(n)s."
        )
        said.append(Sentence(says, n=facts["relabelled"]))
    if facts.get("beside"):
        names = ", ".join(facts["uncovered"][:SHOWN])
        more = f" +{len(facts['uncovered']) - SHOWN}" if len(facts["uncovered"]) > SHOWN else ""
        says = gettext_noop(
            "Held back beside it, for labels of which it has no picture (%(labels)s%(more)s): %(n)s."
        )
        said.append(Sentence(says, n=facts["beside"], labels=names, more=more))
    if facts.get("kept_out"):
        says = gettext_noop("Not learned from, because they look like pictures of the test set: %(n)s.")
        said.append(Sentence(says, n=facts["kept_out"]))
    return said
