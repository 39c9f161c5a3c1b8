"""`messengers serve`: the daemon in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from messengers.cli.running import run_daemon
from messengers.settings import Settings

__all__ = ["serve"]


def serve(
    home: Annotated[Path | None, typer.Option(help="The data directory.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to serve HTTP on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to serve HTTP on.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="console or json, on stderr.")] = None,
) -> None:
    """Run the daemon in the foreground; Ctrl+C ends it."""

    def load() -> Settings:
        return Settings.load(
            home=home, host=host, port=port, log_level=log_level, log_format=log_format
        )

    def ready(url: str) -> None:
        typer.echo(f"Messengers is ready: {url}")

    raise typer.Exit(run_daemon(load, ready=ready))
