"""Alembic's folder: one file a revision in `versions`, run by `store.migrate.upgrade`."""
