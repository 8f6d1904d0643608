"""What befell a version's split, in words: the pinned test set that it was judged on, and what a second look found."""

from typing import Any

from django.utils.translation import gettext_noop

from web.sentences import Sentence

SHOWN = 3


def split_sentences(facts: dict[str, Any], *, findings_alone: bool = False) -> list[Sentence]:
    """From `ModelVersion.split_facts` (or a report's `about`), most important first."""
    said = pinned_sentences(facts["pinned"]) if facts.get("pinned") else []
    said += warm_sentences(facts["warm_start"]) if facts.get("warm_start") else []
    leaks = facts.get("leaks")
    if leaks:
        said += leak_findings(leaks)
        said += [] if findings_alone else leak_look(leaks)
    return said


def leak_findings(facts: dict[str, Any]) -> list[Sentence]:
    """What a second look for near copies across the split found."""
    moved = gettext_noop(
        "Nearly the same as pictures to learn from, and therefore moved to the training side: %(n)s that were held"
        " back, %(chosen)s to choose by."
    )
    left_out = gettext_noop(
        "Left out of the training, because pictures to be judged on are nearly the same: %(n)s."
    )
    remaining = gettext_noop(
        "Judged on although nearly the same as pictures to learn from, since their labels have too few others: %(n)s."
    )
    said = []
    if facts.get("too_alike"):
        says = gettext_noop(
            "Its pictures look so much alike that near copies across the split cannot be told."
        )
        return [Sentence(says)]
    if facts.get("moved") or facts.get("validation_moved"):
        said.append(Sentence(moved, n=facts["moved"], chosen=facts["validation_moved"]))
    if facts.get("left_out"):
        said.append(Sentence(left_out, n=facts["left_out"]))
    if facts.get("remaining"):
        said.append(Sentence(remaining, n=facts["remaining"]))
    return said


def leak_look(facts: dict[str, Any]) -> list[Sentence]:
    """How far the look went, where it found nothing or not everything was seen."""
    if not facts["looked_at"]:
        says = gettext_noop("Near copies across the split were not looked for a second time: no weights.")
        return [Sentence(says)]
    said = []
    if not leak_findings(facts):
        says = gettext_noop("A second look found no near copies of pictures to learn from on the other side.")
        said.append(Sentence(says))
    if facts["looked_at"] < facts["of"]:
        says = gettext_noop("The second look saw %(n)s of %(of)s pictures; the others had no embedding yet.")
        said.append(Sentence(says, n=facts["looked_at"], of=facts["of"]))
    return said


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
    if facts.get("copies"):
        says = gettext_noop(
            "Not held back, because they look like deleted pictures that version %(version)s or one before it"
            " learned from: %(n)s."
        )
        said.append(Sentence(says, version=facts["version"], n=facts["copies"]))
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
