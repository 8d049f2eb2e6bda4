"""The one refusal of embedded services."""


class ServiceUnavailable(Exception):
    """A service could not be fetched or started; the message says what happened and what to do."""
