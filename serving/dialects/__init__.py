"""The ways of asking for a prediction: each decodes a request, and encodes the one predictor's answer."""
