"""The time limit of a training: one promise over preparing, training, exporting and evaluating."""

import time

EXPORT_SECONDS = 8.0
SECONDS_A_PICTURE = 0.04  # decoded and scored, on a slow core
LEAST_TRAINING = 10.0
PREPARING_SHARE = 0.6


class Clock:
    """Counts from the start of the attempt. `held_back`: pictures to evaluate at the end."""

    def __init__(self, minutes: float, held_back: int = 0) -> None:
        self.began, self.limit = time.monotonic(), minutes * 60
        self.held_back = held_back

    @property
    def used(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    @property
    def for_the_end(self) -> float:
        """Seconds that evaluation will need."""
        return self.held_back * SECONDS_A_PICTURE

    @property
    def for_preparing(self) -> float:
        """Seconds that preparing may still take."""
        return self.limit * PREPARING_SHARE - self.used

    @property
    def left(self) -> float:
        """Seconds until evaluation has to begin; negative where it should have begun."""
        return self.limit - self.used - self.for_the_end

    @property
    def share(self) -> float:
        """How much of the time limit is used, from 0."""
        return self.used / self.limit

    @property
    def for_the_engine(self) -> float:
        """Seconds that the engine gets, export included; never less than a little."""
        return max(LEAST_TRAINING, self.left)
