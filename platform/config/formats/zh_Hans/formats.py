"""Numbers in Chinese pages are grouped by thousands, as scripts and other products write them."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
