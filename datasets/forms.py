"""Forms about data sets and imports."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasets.models import Dataset


class DatasetForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and description; the name differs from the project's other data sets."""

    class Meta:
        model = Dataset
        fields = ["name", "description"]
        widgets = {
            "name": forms.TextInput(attrs={"autofocus": True}),
            "description": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {"name": gettext_lazy("What the pictures show, such as “Autumn camera traps”.")}

    def clean_name(self) -> str:
        """Told here, because the constraint's own sentence speaks of columns."""
        name = str(self.cleaned_data["name"])
        others = Dataset.objects.filter(project=self.instance.project, trashed_at=None, name=name)
        if others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("This project has a data set of this name already."))
        return name
