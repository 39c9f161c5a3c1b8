"""Statements compiled once: SQLAlchemy makes the SQL, the driver runs it.

What SQLAlchemy does around each execution takes five times as long as the execution itself.
"""

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import Delete, Insert, SelectBase, Update
from sqlalchemy.dialects import sqlite as dialects
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.schema import ScalarElementColumnDefault

__all__ = ["Executable", "Statement", "compiled"]

Executable = SelectBase | Insert | Update | Delete
_WITH_COLUMNS = (Insert, Update)

_STATEMENTS = 1024
_DIALECT = dialects.dialect(paramstyle="qmark")


class Statement:
    """A statement as text, with the order of its parameters and the names of its columns."""

    def __init__(self, stmt: Executable, params: tuple[str, ...]) -> None:
        # SQLAlchemy takes for columns those of the names that no bindparam has.
        made = stmt.compile(dialect=_DIALECT, column_keys=list(params) or None)
        self.names = tuple(map(str, stmt.exported_columns.keys()))
        self._compiled = made
        self._sql = str(made)
        self._order = tuple(made.positiontup or ())
        self._given = {bind.key for bind in made.binds.values() if bind.required}
        self._fixed = {name: made.params[name] for name in made.params.keys() - self._given}
        if isinstance(stmt, Insert):
            self._fixed |= _defaults(made)
        self._expands = bool(made.post_compile_params)

    def bind(self, params: Mapping[str, object]) -> tuple[str, tuple[object, ...]]:
        """The text and its values, in order. Raises KeyError naming a parameter that is missing."""
        if self._expands:
            if missing := self._given - params.keys():
                raise KeyError(*missing)
            state = self._compiled.construct_expanded_state({**self._fixed, **params})
            return state.statement, tuple(state.positional_parameters)
        given = {**self._fixed, **params} if self._fixed else params
        return self._sql, tuple([given[name] for name in self._order])


def compiled(stmt: Executable, params: Mapping[str, object]) -> Statement:
    """By identity: the statements of the noun modules live as long as the program.

    An insert or update without values sets the columns that it gets parameters for.
    """
    return _compiled(stmt, tuple(params) if isinstance(stmt, _WITH_COLUMNS) else ())


@lru_cache(maxsize=_STATEMENTS)
def _compiled(stmt: Executable, params: tuple[str, ...]) -> Statement:
    return Statement(stmt, params)


def _defaults(made: SQLCompiler) -> dict[str, object]:
    """Of the columns that an insert leaves out; SQLAlchemy itself adds them as it executes."""
    return {
        column.key: column.default.arg
        for column in made.insert_prefetch
        if isinstance(column.default, ScalarElementColumnDefault)
    }
