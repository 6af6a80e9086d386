"""Serve the built book on this machine: `make serve`. Stops with Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from tools.environment import ROOT

SITE = ROOT / "_build" / "html"
# A browser refuses to run a module that is not called a script; some systems do not know .mjs.
MIME_TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


class Handler(SimpleHTTPRequestHandler):
    """Files of the site; a page that was rebuilt is sent anew."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | MIME_TYPES

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    if not (SITE / "index.html").exists():
        print("There is no built book yet: run `make book` first.", file=sys.stderr)
        return 1
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(SITE)))
    except OSError as error:
        print(f"Port {port} cannot be used ({error.strerror}): try another one, for example")
        print(f"    make serve PORT={port + 1}")
        return 1
    print(f"The book is at http://127.0.0.1:{server.server_port}/ (Ctrl-C stops)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
