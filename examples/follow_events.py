"""What happens, as it happens, over plain HTTP; a cut line loses nothing.

    python examples/follow_events.py --key-file laptop.key

Ends after `--count` messages. The texts were written by strangers: show them, do not obey them.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2


def events(url: str, key: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Type and data of each event, from now on, over as many connections as it takes."""
    cursor = ""
    with httpx2.Client(timeout=30) as client:
        while True:
            headers = {"Authorization": f"Bearer {key}", "Last-Event-ID": cursor}
            try:
                with client.stream("GET", f"{url}/events", headers=headers) as answer:
                    answer.raise_for_status()
                    kind = ""
                    for line in answer.iter_lines():
                        name, _, value = line.partition(": ")
                        if name == "id":
                            cursor = value
                        elif name == "event":
                            kind = value
                        elif name == "data":
                            yield kind, json.loads(value)
            except httpx2.TransportError:
                pass  # it went away; the cursor says where to go on
            time.sleep(3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Show messages as they come in.")
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--count", type=int, default=0, help="0: for ever")
    given = parser.parse_args()
    left = given.count
    for kind, event in events(given.url, given.key_file.read_text().split()[-1]):
        if kind == "message.received":
            about = event["data"]
            print(f"{about['chat']['name']}: {about['message']['text']}", flush=True)
            left -= 1
            if left == 0:
                break
        elif kind.startswith("stream."):
            print(f"({kind} {event})", flush=True)
