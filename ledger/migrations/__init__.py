"""The schema's versions, by Alembic, the migration library that SQLAlchemy's own authors keep."""
