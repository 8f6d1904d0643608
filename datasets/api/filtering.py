"""What pictures are filtered by in the JSON API: in the address of GET, in the `filter` of an act."""

from datetime import date

from ninja import Schema
from pydantic import ConfigDict, Field

from datasets.filters import LARGEST, LONGEST, Filter, Order, State

SIDE = "%s at %s, upright, in pixels."


class FilterIn(Schema):
    """All of it holds together; nothing said means every picture outside the trash. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    label: str = Field("", description="A label's name; of suggestions, the suggested one.")
    state: State = Field(
        "",
        description="`skipped`: marked as not sure; `trashed` shows the trash. Unlabelled ones are neither.",
    )
    source: int | None = Field(None, alias="import", description="An import's number.")
    uploader: str = Field("", max_length=LONGEST, description="Who imported it: a user's name.")
    tagger: str = Field("", max_length=LONGEST, description="Who gave it its label: a user's name.")
    name: str = Field("", max_length=LONGEST, description="A part of the file's name, in any case.")
    since: date | None = Field(None, description="Imported on this day or later.")
    until: date | None = Field(None, description="Imported on this day or earlier.")
    min_width: int | None = Field(None, ge=0, le=LARGEST, description=SIDE % ("Width", "least"))
    max_width: int | None = Field(None, ge=0, le=LARGEST, description=SIDE % ("Width", "most"))
    min_height: int | None = Field(None, ge=0, le=LARGEST, description=SIDE % ("Height", "least"))
    max_height: int | None = Field(None, ge=0, le=LARGEST, description=SIDE % ("Height", "most"))
    min_bytes: int | None = Field(None, ge=0, le=LARGEST)
    max_bytes: int | None = Field(None, ge=0, le=LARGEST)
    min_brightness: int | None = Field(None, ge=0, le=LARGEST, description="Mean, 0 (black) to 255.")
    max_brightness: int | None = Field(None, ge=0, le=LARGEST)
    min_sharpness: int | None = Field(None, ge=0, le=LARGEST, description="Under 28 a photograph is blurred.")
    max_sharpness: int | None = Field(None, ge=0, le=LARGEST)
    confidence_below: float | None = Field(
        None, ge=0, le=1, description="Suggested less surely than this; only with `state=suggested`."
    )
    like: int | None = Field(None, description="The number of a picture: its look-alikes, at most 240.")
    order: Order | None = Field(
        None,
        description="`-` turns the order round; `confidence` and `margin` are for suggestions; `cluster` puts"
        " look-alikes together; `similar`, which `like` orders by unless told otherwise, the most alike first.",
    )

    def to_filter(self) -> Filter:
        """Raises BadFilter where the parts contradict one another."""
        said = self.model_dump(by_alias=True, exclude_none=True)
        return Filter.from_params(said, strict=True)
