"""What a measurement comes to: values with their units, plain enough for JSON."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Figure:
    """One number of one measurement; `note` says under which conditions."""

    measured: str
    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Contested:
    """How one contestant did on one log.

    `seconds` from the first sign of work to the last commit; `seconds_from_start` from the
    process's start. `cpu_seconds` are the process's own, `database_cpu_seconds` the server's (0
    for SQLite). `difference` from our totals: empty where they are equal.
    """

    name: str
    records: int
    seconds: float
    seconds_from_start: float
    cpu_seconds: float
    database_cpu_seconds: float
    difference: str

    @property
    def records_per_second(self) -> float:
        return self.records / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """The process's CPU time a record."""
        return self.cpu_seconds / self.records * 1e6

    def but(self, difference: str) -> "Contested":
        """The same, judged anew."""
        return replace(self, difference=difference)

    @property
    def database_cpu_microseconds(self) -> float:
        return self.database_cpu_seconds / self.records * 1e6
