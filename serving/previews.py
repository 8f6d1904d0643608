"""Small copies of pictures for pages, drawn anew: what a person uploaded is never sent back as it came."""

import base64
import io

from django.conf import settings

from datasets.pixels import Source, UnreadableImage, decode_rgb

SIDE = 640
QUALITY = 80


def preview(picture: Source, side: int = SIDE) -> str:
    """A data: address with the picture as JPEG of at most `side` pixels; empty where it cannot be read."""
    try:
        image = decode_rgb(
            picture, max_pixels=settings.MAX_PIXELS, max_bytes=settings.MAX_FILE_BYTES, draft_to=side
        )
    except UnreadableImage:
        return ""
    image.thumbnail((side, side))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def bars(scores: list[list[str]]) -> list[dict[str, str]]:
    """Dialect 1's pairs as bars: name, width for SVG (always with a point) and the figure."""
    return [{"name": name, "width": f"{float(score) * 100:.1f}%", "value": score} for name, score in scores]
