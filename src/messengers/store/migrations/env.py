"""What alembic runs: on the connection and in the transaction that `migrate` opened."""

from alembic import context

from messengers.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # alembic holds SQLite for unable; with an explicit BEGIN it is
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
