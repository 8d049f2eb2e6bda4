"""What is wrong with a value from outside, in a few words: where, and what it should be. Pure."""

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """The first fault that was found: `shards.0.root: String should match…`."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
