"""The front door: the `hours` command, its settings, embedded services and the demo."""
