"""A server on this machine that answers as a test wants it to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def answering(answer: Callable[[Message, bytes], tuple[int, bytes] | None]) -> Iterator[str]:
    """Its URL. `answer` gets a request's headers and body, and gives status and body, or None to hang up."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True  # or an answer waits 40 ms for an acknowledgement
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            response = answer(self.headers, self.rfile.read(int(self.headers.get("content-length", 0))))
            if response is None:
                self.close_connection = True
                return
            status, body = response
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
