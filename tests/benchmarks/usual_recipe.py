"""The usual recipe in plain PyTorch, to compare with: the whole pretrained network learns, round by round.

    python -m tests.benchmarks.usual_recipe LEARN HELD_BACK WEIGHTS AIM SECONDS THREADS

Ends with the first round after which HELD_BACK is AIM right, or when SECONDS are over. The last line is JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.engine.torchvision_import import torchvision

BATCH, ROUNDS, RATE, DECAY = 32, 20, 0.01, 1e-4
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def loader(folder: str, *, learn: bool) -> Any:
    """Crops and mirrors to learn from, the middle to be measured on."""
    from torchvision import datasets
    from torchvision import transforms as t

    seen = (
        [t.RandomResizedCrop(224), t.RandomHorizontalFlip()] if learn else [t.Resize(256), t.CenterCrop(224)]
    )
    pictures = datasets.ImageFolder(folder, t.Compose([*seen, t.ToTensor(), t.Normalize(MEAN, STD)]))
    workers = torch.get_num_threads()
    return torch.utils.data.DataLoader(
        pictures, BATCH, shuffle=learn, num_workers=workers, persistent_workers=True
    )


def network(weights: Path, labels: int) -> Any:
    """MobileNetV2 with a new last layer."""
    made = torchvision.models.mobilenet_v2()
    made.load_state_dict(torch.load(weights / "mobilenet_v2.pth", weights_only=True))
    made.classifier[1] = nn.Linear(made.last_channel, labels)
    return made


def right(model: Any, pictures: Any) -> float:
    """Share of these that it names rightly."""
    model.eval()
    with torch.inference_mode():
        hits = sum(int((model(x).argmax(1) == y).sum()) for x, y in pictures)
    return hits / len(pictures.dataset)


def main(learn: str, held_back: str, weights: str, aim: str, seconds: str, threads: str) -> None:
    began = time.monotonic()
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    learning, held = loader(learn, learn=True), loader(held_back, learn=False)
    model = network(Path(weights), len(learning.dataset.classes))
    optimiser = torch.optim.SGD(model.parameters(), RATE, momentum=0.9, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, ROUNDS * len(learning))
    reached: list[float] = []
    while len(reached) < ROUNDS and time.monotonic() - began < float(seconds):
        model.train()
        for x, y in learning:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimiser.step()
            schedule.step()
            if time.monotonic() - began > float(seconds):
                break
        else:
            reached.append(right(model, held))
            print(f"{time.monotonic() - began:.0f} s: {reached[-1]:.4f}", file=sys.stderr, flush=True)
            if reached[-1] >= float(aim):
                break
    print(json.dumps(reached), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
