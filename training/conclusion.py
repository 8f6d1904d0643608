"""A report's conclusion in words: what it rests on, what goes wrong most, what to do about it."""

from typing import Any

from django.utils.translation import gettext_noop

from training.split_words import split_sentences
from web.sentences import Sentence
from web.templatetags.states import percent

FEW, WIDE = 100, 0.1
SHOWN = 3
GOOD_PICTURES = 100
SURE = 0.15


def confusions(matrix: dict[str, Any]) -> list[dict[str, Any]]:
    """The pairs of labels taken for one another most, highest first: {true, predicted, count, share}."""
    names, counts = matrix["labels"], matrix["counts"]
    found = [
        {"true": names[i], "predicted": names[j], "count": count, "share": count / sum(row)}
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(found, key=lambda each: (-each["count"], -each["share"], each["true"], each["predicted"]))


def conclude(report: dict[str, Any], learned_from: dict[str, int]) -> list[Sentence]:
    """The sentences, most important first. `learned_from`: pictures of each label in training."""
    overall = report["overall"]
    said = [
        _headline(overall),
        *_no_merit(overall, report["labels"]),
        *split_sentences(report.get("about", {}), findings_alone=True),
        *_outside(report),
        *_confused(report["confusions"]),
        *_worst(report["labels"]),
    ]
    said += _advice(overall, learned_from)
    return said


def _headline(overall: dict[str, Any]) -> Sentence:
    accuracy = overall["accuracy"]
    return Sentence(
        gettext_noop(
            "The model names the right label for %(share)s of the pictures it had not seen"
            " (95 %% sure: between %(low)s and %(high)s; measured on %(n)s pictures)."
        ),
        share=percent(accuracy["value"]),
        low=percent(accuracy["low"]),
        high=percent(accuracy["high"]),
        n=overall["n"],
    )


def _no_merit(overall: dict[str, Any], labels: list[dict[str, Any]]) -> list[Sentence]:
    """Said where always giving one answer might do as well: a share alone does not show that."""
    most = max(labels, key=lambda row: row["support"], default=None)
    if most is None or not overall["n"] or overall["accuracy"]["low"] > most["support"] / overall["n"]:
        return []
    return [
        Sentence(
            gettext_noop(
                "That is not clearly better than always answering “%(label)s”, which is right for %(share)s of them:"
                " do not rely on it yet. Look whether the tags are right, and tag more pictures."
            ),
            label=most["name"],
            share=percent(most["support"] / overall["n"]),
        )
    ]


def _outside(report: dict[str, Any]) -> list[Sentence]:
    """How pictures that are none of the labels fared."""
    said = []
    for each in outside(report):
        if not each["n"]:
            continue
        said.append(
            Sentence(
                gettext_noop(
                    "Of %(n)s pictures that are none of the labels (“%(label)s”), %(wrong)s (%(share)s) were taken for"
                    " one; of %(others)s others, %(missed)s were taken for none."
                ),
                label=each["label"],
                n=each["n"],
                wrong=each["wrong"],
                share=percent(each["wrong"] / each["n"]),
                others=each["others"],
                missed=each["missed"],
            )
        )
    return said


def outside(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each label for pictures that are none of these: how many there were, how many were taken for a label (and
    for which), and how many of the other labels' pictures were taken for none."""
    names, counts = report["confusion_matrix"]["labels"], report["confusion_matrix"]["counts"]
    marked = [name for name in report.get("about", {}).get("none_of_these", []) if name in names]
    places = {names.index(name) for name in marked}
    others = [at for at in range(len(names)) if at not in places]
    total = sum(sum(counts[at]) for at in others)
    return [
        {
            "label": names[at],
            "n": sum(counts[at]),
            "wrong": sum(counts[at][other] for other in others),
            "taken_for": {names[other]: counts[at][other] for other in others if counts[at][other]},
            "others": total,
            "missed": sum(counts[other][at] for other in others),
        }
        for at in sorted(places)
    ]


def _confused(pairs: list[dict[str, Any]]) -> list[Sentence]:
    if not pairs:
        return [Sentence(gettext_noop("It confused no labels on these pictures."))]
    named = "; ".join(f"{each['true']} → {each['predicted']} ({each['count']})" for each in pairs[:SHOWN])
    return [Sentence(gettext_noop("Confused most often (true → taken for): %(pairs)s."), pairs=named)]


def _worst(labels: list[dict[str, Any]]) -> list[Sentence]:
    measured = sorted((row for row in labels if row["support"]), key=lambda row: row["recall"])
    if not measured or measured[0]["recall"] == 1 or measured[0]["recall"] == measured[-1]["recall"]:
        return []
    worst = measured[0]
    return [
        Sentence(
            gettext_noop("Weakest label: %(label)s, found in %(share)s of its %(n)s pictures."),
            label=worst["name"],
            share=percent(worst["recall"]),
            n=worst["support"],
        )
    ]


def _advice(overall: dict[str, Any], learned_from: dict[str, int]) -> list[Sentence]:
    said = []
    if overall["n"] < FEW or overall["accuracy"]["high"] - overall["accuracy"]["low"] > WIDE:
        said.append(
            Sentence(
                gettext_noop(
                    "The answer rests on only %(n)s pictures, so it is rough: tag more to be surer of it."
                ),
                n=overall["n"],
            )
        )
    short = sorted((count, name) for name, count in learned_from.items() if count < GOOD_PICTURES)
    if short and overall["accuracy"]["value"] < 1 - SURE / 10:
        named = ", ".join(f"{name} ({count})" for count, name in short[:SHOWN])
        said.append(
            Sentence(
                gettext_noop("More pictures would help most for: %(labels)s (pictures it learned from)."),
                labels=named,
            )
        )
    return said
