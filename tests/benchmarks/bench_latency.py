"""How much slower pages and predictions are while a training runs: `make bench`.

A real fine-tuning runs in the product's worker. Its engine is frozen (SIGSTOP) and let go on in turns, so that idle and
busy are measured side by side. Nothing is asserted about time. TAXON_BENCH_ROUNDS: turns of both (10);
TAXON_BENCH_PICTURES: of flowers5 and their mirror images (500).
"""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest
import requests

from tests.benchmarks.outside import Owner, photographs
from tests.product import PASSWORD, USER, Product

ROUNDS = int(os.environ.get("TAXON_BENCH_ROUNDS", "10"))
COUNT = int(os.environ.get("TAXON_BENCH_PICTURES", "500"))
TIMES, SETTLE, ALLOWED = 8, 0.5, 1.5  # requests of each kind a turn; seconds after each change
Ask = Callable[[], requests.Response]


@pytest.mark.slow
def test_pages_and_predictions_while_a_training_runs(
    product: Product, shared_data: Path, weights_dir: Path
) -> None:
    owner, pictures = Owner(product), photographs(shared_data, COUNT)
    dataset = owner.bring(pictures, forget=False)
    _, version, _ = owner.train(dataset, fine_tuning="off")
    asks = predictions(owner, int(version["model"]), list(pictures.values()))
    with fine_tuning(owner, dataset) as (engine, run):
        asks |= pages(product, dataset, run)
        took = in_turns(asks, engine)
    print(f"\n{COUNT} pictures, {os.cpu_count()} cores; {ROUNDS} turns of {TIMES} requests of each kind")
    for name, (idle, busy) in took.items():
        halves = [1000 * np.percentile(each, at) for at in (50, 95) for each in (idle, busy)]
        print(
            f"{name}: median {halves[0]:.0f} ms idle, {halves[1]:.0f} busy: {halves[1] / halves[0]:.2f} ×;"
            f" 95 % {halves[2]:.0f} and {halves[3]:.0f}: {halves[3] / halves[2]:.2f} ×; allowed {ALLOWED} ×"
        )


def in_turns(asks: dict[str, Ask], engine: psutil.Process) -> dict[str, tuple[list[float], list[float]]]:
    """Seconds of each answer, without and with the engine at work."""
    took: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in asks}
    for ask in asks.values():
        ask()
    for turn in range(2 * ROUNDS):
        busy = turn % 2
        engine.send_signal(signal.SIGCONT if busy else signal.SIGSTOP)
        time.sleep(SETTLE)
        worked = sum(engine.cpu_times()[:2])
        for _ in range(TIMES):
            for name, ask in asks.items():
                began = time.perf_counter()
                answer = ask()
                took[name][busy].append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
        assert busy == (sum(engine.cpu_times()[:2]) > worked), "the engine was not as busy as it should be"
    return took


@contextmanager
def fine_tuning(owner: Owner, dataset: int) -> Iterator[tuple[psutil.Process, str]]:
    """A training whose engine fine-tunes by now: its process, and the path of its page."""
    model = owner.post("/models", 201, json={"name": f"Bench {time.time()}"})["id"]
    data = [{"dataset": dataset, "labels": "all"}]
    asked = {"applications": ["cloud-general"], "data": data, "max_minutes": 120}
    owner.post(f"/models/{model}/versions", 202, json=asked)
    engine = engine_that_fine_tunes()
    try:
        yield engine, f"/models/{model}/versions/1/"
    finally:
        engine.send_signal(signal.SIGCONT)
        owner.post(f"/models/{model}/versions/1/cancel", 202)
        owner.rest()


def engine_that_fine_tunes() -> psutil.Process:
    """The engine among what the tests started, once it has worked for some seconds at its second fit."""
    for _ in range(600):
        for process in psutil.Process().children(recursive=True):
            try:
                line = process.cmdline()
                if "training.engine" in line and "tuned" in line[-1] and process.cpu_times().user > 15:
                    return process
            except psutil.Error:  # it ended while we looked
                continue
        time.sleep(1)
    raise AssertionError("no fine-tuning began")


def pages(product: Product, dataset: int, run: str) -> dict[str, Ask]:
    """What people look at, asked for as a browser does."""
    browser = requests.Session()
    login = f"{product.url}/accounts/login/"
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(login, timeout=60).text)
    assert found
    sent = {"username": USER, "password": PASSWORD, "csrfmiddlewaretoken": found[1]}
    home = browser.post(login, data=sent, headers={"Referer": login}, timeout=60).url
    assert "login" not in home
    named = {"the project's home": home, "a data set's bench": f"{product.url}/datasets/{dataset}/"}
    named |= {"the run's page": product.url + run}
    return {name: lambda at=at: browser.get(at, timeout=60) for name, at in named.items()}  # type: ignore[misc]


def predictions(owner: Owner, model: int, pictures: list[bytes]) -> dict[str, Ask]:
    """One picture after another to a published service."""
    slug, turn = f"bench-{model}", iter(range(10**9))
    owner.post("/services", 201, json={"name": "bench", "slug": slug, "model": model, "version": 1})
    owner.session.post(f"{owner.root}/services/{slug}/approve", timeout=60)
    url = owner.wait(f"/services/{slug}")["url"]

    def ask() -> requests.Response:
        content = pictures[next(turn) % len(pictures)]
        return owner.session.post(url, files={"images": ("a.jpg", content)}, timeout=60)

    return {"a prediction": ask}
