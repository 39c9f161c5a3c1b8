"""The `messengers` command. `stdio` goes its own way: it must start before anyone notices."""

import gc
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    if sys.argv[1:2] == ["stdio"]:
        from messengers.cli.stdio import main as stdio

        sys.exit(stdio(sys.argv[2:]))
    if sys.argv[1:2] == ["serve"] and sys.argv[-1] == "--detached":
        # A client waits for this one too. Nothing that is imported becomes garbage, so looking for
        # some is time lost.
        gc.disable()
        from messengers.cli.running import detached

        sys.exit(detached(sys.argv[2:]))
    # Here, because the command line's libraries take longer to load than the pump lives.
    from messengers.cli.main import app

    app()


if __name__ == "__main__":
    main()
