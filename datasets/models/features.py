"""Where the embeddings of pictures lie."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class FeatureShard(models.Model):
    """A file of embeddings: float16 [rows, dimensions] (.npy) of one extractor (name with pixel spec)."""

    extractor = models.CharField(max_length=120)
    key = models.CharField(max_length=120)
    rows = models.PositiveIntegerField()
    dimensions = models.PositiveIntegerField()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("embedding shard"), _("embedding shards")

    def __str__(self) -> str:
        return f"{self.extractor} ×{self.rows}"


class Feature(models.Model):
    """Where a picture's embedding lies."""

    extractor = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    shard = models.ForeignKey(FeatureShard, models.CASCADE, related_name="features")
    row = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["extractor", "sha256"], name="computed_once")]

    def __str__(self) -> str:
        return self.sha256
