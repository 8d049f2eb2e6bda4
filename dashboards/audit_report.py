"""An audit's report as one HTML page for the file: what was checked, figures, what differs.

Pure. No script, nothing from elsewhere; it prints on A4.
"""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboards.terminal import duration

_ENVIRONMENT = Environment(
    loader=PackageLoader("dashboards", "reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def audit_report(shown: dict[str, Any]) -> str:
    """The page, from an audit's result as JSON has it."""
    return _ENVIRONMENT.get_template("audit.html").render(audit=shown, duration=duration)
