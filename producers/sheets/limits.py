"""How much a sheet may hold: Excel's own limits, and ours."""

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
LONGEST_CELL = 1_000
LARGEST_UNPACKED = 512 * 1024 * 1024
