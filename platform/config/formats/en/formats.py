"""Days are written as everywhere else in Taxon: 2026-03-04 is the same day to every reader."""

SHORT_DATE_FORMAT = "Y-m-d"
SHORT_DATETIME_FORMAT = "Y-m-d H:i"
