"""Forms about services."""

from django import forms
from django.utils.translation import gettext_lazy as _

from serving.models import SLUG


class PublishForm(forms.Form):
    """A version becomes a service."""

    name = forms.CharField(label=_("Name"), max_length=80)
    slug = forms.CharField(
        label=_("Address"),
        max_length=63,
        validators=[SLUG],
        help_text=_("3 to 63 lower-case letters, digits and hyphens; part of the URL that programs call."),
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
    )
    description = forms.CharField(
        label=_("Description"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    threshold = forms.FloatField(
        label=_("Lowest score for a label"),
        required=False,
        min_value=0,
        max_value=1,
        help_text=_("From 0 to 1. Where even the best score is lower, the answer names no label."),
        widget=forms.NumberInput(attrs={"step": "0.01", "class": "is-short"}),
    )


class TokenForm(forms.Form):
    """A token for a program that calls the service."""

    name = forms.CharField(label=_("Name of the program"), max_length=80)


class SwitchForm(forms.Form):
    """What to serve from now on: a share for each version, in per cent."""

    threshold = forms.FloatField(
        label=_("Lowest score for a label"),
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.01", "class": "is-short"}),
    )
