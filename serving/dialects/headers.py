"""What every answer of a prediction carries, whatever the dialect."""

from django.http import HttpResponse

from serving.online import Answered


def sign(response: HttpResponse, answered: Answered) -> HttpResponse:
    """Say which prediction this is and which version and revision made it."""
    response["X-Prediction-Id"] = str(answered.prediction)
    response["X-Taxon-Version"] = str(answered.version)
    response["X-Taxon-Revision"] = str(answered.revision)
    response["Cache-Control"] = "no-store"
    return response
