"""An import that waits for a choice: what will happen, and what it is to be instead."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from datasets.access import import_for
from datasets.choices import IfHere
from datasets.choosing import NotChoosing, choices_from, choose, read_again
from datasets.models import Import, ImportState
from datasets.planning import Plan, pictures_by_label
from datasets.reasons import briefly
from datasets.views.acknowledging import person
from projects.access import may
from projects.models import Role
from web.sentences import Refusal

SHOWN_AS = {
    "utf-8": "UTF-8",
    "gbk": "GBK",
    "big5": "Big5",
    "shift_jis": "Shift-JIS",
    "euc_kr": "EUC-KR",
    "cp437": "CP437",
}


def choosing_page(
    request: HttpRequest, found: Import, said: Mapping[str, Any] | None = None, refusal: Refusal | None = None
) -> HttpResponse:
    """The plan as a table, with what was proposed or what somebody had typed before it was refused."""
    plan = Plan.from_json(found.plan)
    known = pictures_by_label(found.dataset)
    refused = sum((Counter(row.refused) for row in plan.rows), Counter[str]())
    rows = [row_of(plan, number, known, said) for number in range(len(plan.rows))]
    context = {
        "project": found.dataset.project,
        "active": "data",
        "dataset": found.dataset,
        "import": found,
        "plan": plan,
        "rows": sorted(rows, key=lambda row: not row["asks"]),
        "known": known,
        "new": len({row["to"] for row in rows if row["to"]} - set(known)),
        "already": sum(row.already for row in plan.rows),
        "refused": sum(refused.values()),
        "refused_why": briefly(refused),
        "fer": any(row.why == "fer" for row in plan.rows),
        "encodings": [(each, SHOWN_AS[each], names) for each, names in plan.readings.items()],
        "encoding_name": SHOWN_AS.get(plan.encoding, ""),
        "policies": IfHere.choices,
        "policy": (said or {}).get("conflicts") or IfHere.LATER,
        "refusal": refusal,
        "may_tag": may(request.user, found.dataset.project, at_least=Role.LABELLER),
    }
    return render(
        request, "datasets/import_choosing.html", context, status=refusal.status if refusal else 200
    )


def row_of(
    plan: Plan, number: int, known: Mapping[str, int], said: Mapping[str, Any] | None
) -> dict[str, Any]:
    """One line of the table."""
    row = plan.rows[number]
    to = row.to if said is None else str(said.get(f"to-{number}", "")).strip()
    others = {label: count for label, count in row.here.items() if label and label != row.to}
    proposed = {each.name: each.to for each in plan.rows}
    twice = [(name, n, proposed.get(name) != row.to) for name, n in row.twice.items() if name != row.name]
    return {
        "number": number,
        "row": row,
        "to": to,
        "out": said is not None and f"out-{number}" in said,
        "count": known.get(to),
        "others": others,
        "already": sum(row.here.values()) - sum(others.values()),
        "twice": twice,
        "again": row.twice.get(row.name, 0),
        "refused": sum(row.refused.values()),
        "asks": row.why in {"lookalike", "bad"} or bool(others) or any(differs for _, _, differs in twice),
    }


@login_required
@require_POST
def choose_labels(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the import in as the table says."""
    found = import_for(request.user, pk, at_least=Role.LABELLER, scope="upload")
    if found.state != ImportState.CHOOSING:  # sent twice, or somebody was faster
        return redirect("datasets:import-detail", pk)
    sent = request.POST
    labels: dict[str, str] = {}
    left_out: set[str] = set()
    for field in sent:
        if field.startswith("name-"):
            number, name = field.removeprefix("name-"), sent[field]
            labels[name] = sent.get(f"to-{number}", name)
            left_out |= {name} if f"out-{number}" in sent else set()
    try:
        chosen = choices_from(found, labels, left_out, sent.get("conflicts", IfHere.LATER))
        choose(found=found, user=person(request), choices=chosen)
    except NotChoosing:
        pass
    except Refusal as error:
        return choosing_page(request, found, sent, error)
    return redirect("datasets:import-detail", pk)


@login_required
@require_POST
def read_names_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the names of the zip in another encoding."""
    found = import_for(request.user, pk, at_least=Role.LABELLER, scope="upload")
    try:
        read_again(found=found, user=person(request), encoding=request.POST.get("encoding", ""))
    except Refusal as error:
        messages.error(request, str(error))
    return redirect("datasets:import-detail", pk)
