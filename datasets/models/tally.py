"""How many pictures a data set holds, kept as they change."""

from django.db import models

TRASHED, SKIPPED, OPEN = -2, -1, 0


class Tally(models.Model):
    """So many pictures more (or fewer) on a shelf: a label's number, or OPEN, SKIPPED, TRASHED. Rows are summed.

    The database writes them itself (datasets/tally.py), so no way of changing pictures can be forgotten. Without
    foreign keys: they may outlive what they count for a moment.
    """

    dataset_id = models.BigIntegerField()
    shelf = models.BigIntegerField()
    n = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["dataset_id", "shelf"], name="tally_of_data_set")]

    def __str__(self) -> str:
        return f"{self.dataset_id}/{self.shelf}: {self.n}"
