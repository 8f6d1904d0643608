"""What the trash leaves to be done once rows are gone."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class FreedFile(models.Model):
    """A file whose picture was purged. It goes as soon as no import is under way that could want it again."""

    key = models.CharField(max_length=120, unique=True)
    freed_at = models.DateTimeField(_("freed"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("freed file"), _("freed files")

    def __str__(self) -> str:
        return self.key
