"""`python -m hours` is `hours`."""

from hours.cli import main

if __name__ == "__main__":
    main()
