"""The packaged executable, `cargo xtask package`'s, as something to run: behind a Runtime API of a few lines."""

import contextlib
import http.server
import json
import os
import pathlib
import platform
import queue
import shutil
import subprocess
import threading
import time
import zipfile

import pytest

from cloud import ROOT, open_log

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
ARCHIVE = ROOT / "target/package" / str(ARCHITECTURE) / "bootstrap.zip"
ANSWER_SECONDS_MAX = 30
RUNTIME = "/2018-06-01/runtime"


def archive():
    """The archive for this machine. It takes minutes to build, so every day's tests do without; CI does not."""
    advice = "run `cargo xtask deploy-check`, which builds it"
    if not ARCHIVE.is_file():
        absent(f"there is no {ARCHIVE.relative_to(ROOT)}: {advice}")
    sources = [path for path in (ROOT / "app").rglob("*") if path.suffix in (".rs", ".toml")]
    if max(path.stat().st_mtime for path in sources) > ARCHIVE.stat().st_mtime:
        absent(f"{ARCHIVE.relative_to(ROOT)} is older than app/: {advice}")
    return ARCHIVE


def absent(reason):
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def deployment(directory):
    """A copy of deploy/ with the archive where its templates look for it."""
    shutil.copytree(ROOT / "deploy", directory / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "target/package").mkdir(parents=True)
    shutil.copy(archive(), directory / "target/package/bootstrap.zip")
    return directory / "deploy"


def unpacked(directory):
    with zipfile.ZipFile(archive()) as file:
        # `extract` forgets permissions, which Lambda does not.
        executable = pathlib.Path(file.extract("bootstrap", directory))
        executable.chmod(file.getinfo("bootstrap").external_attr >> 16 & 0o777)
    return executable


class Function:
    """One sandbox: the executable as a process, and the Runtime API that it asks for work."""

    @classmethod
    @contextlib.contextmanager
    def start(cls, handler, directory, **variables):
        executable = unpacked(directory / handler)
        with cls() as runtime_api, open_log(f"packaged-{handler}", directory) as log:
            environment = {
                "_HANDLER": handler,
                "AWS_LAMBDA_RUNTIME_API": runtime_api.address,
                "AWS_LAMBDA_FUNCTION_NAME": handler,
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
                "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{handler}",
                "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                **variables,
            }
            process = subprocess.Popen([executable], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                yield runtime_api
            finally:
                process.kill()
                process.wait()

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()

    def __init__(self):
        self._waiting, self._answers = queue.Queue(), queue.Queue()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def invoke(self, event):
        """What the function answers."""
        kind, body = self.run(event)
        assert kind == "response", body
        return body

    def run(self, event):
        """`response` or `error`, and what came with it. `init-error` if it could not even start."""
        self._waiting.put(json.dumps(event).encode())
        return self._answers.get(timeout=ANSWER_SECONDS_MAX)

    def _handler(function):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            count = 0

            def log_message(self, *_):
                pass

            def do_GET(self):
                assert self.path == f"{RUNTIME}/invocation/next", self.path
                event = function._waiting.get()
                if event is None:
                    self.close_connection = True
                    return
                Handler.count += 1
                deadline = int((time.time() + ANSWER_SECONDS_MAX) * 1000)
                self.answer(
                    200,
                    event,
                    {
                        "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-4000-8000-{Handler.count:012}",
                        "Lambda-Runtime-Deadline-Ms": str(deadline),
                        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:packaged",
                        "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
                    },
                )

            def do_POST(self):
                chunked = self.headers.get("transfer-encoding") == "chunked"
                body = self.chunks() if chunked else self.rfile.read(int(self.headers.get("content-length", 0)))
                kind = "init-error" if self.path.endswith("/init/error") else self.path.rsplit("/", 1)[1]
                function._answers.put((kind, json.loads(body or b"null")))
                self.answer(202, b'{"status":"OK"}', {})

            def chunks(self):
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def answer(self, status, body, headers):
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        return Handler
