"""The runtime of Python functions: finds the handler, asks for events, answers.

It behaves as AWS's own client does and uses the standard library alone, as little of it as possible: each module
that is loaded delays every cold start.
"""

import json
import logging
import math
import os
import socket
import sys
import time

API = "/2018-06-01/runtime/"
INSTALL = os.environ.pop("TANDEM_INSTALL", None)
JSON_LOGS = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
CAUSE_LENGTH_MAX = 16 * 1024  # of a header
DATE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
NO_BREAK_SPACE = "\u00a0"
# From 3.12 on letters of other scripts are written as they are.
ENSURE_ASCII = os.environ.get("AWS_EXECUTION_ENV", "") in {f"AWS_Lambda_python3.{minor}" for minor in range(8, 12)}

request_id = None


class Fault(Exception):
    """A failure of the runtime's own, with the name that AWS gives it."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind, self.message, self.trace = f"Runtime.{kind}", message, trace


# -- JSON


class Encoder(json.JSONEncoder):
    """Decimals are written as they are, to the last digit; bytes are text."""

    # A mark that no response contains by accident: what it begins is written without its quotes.
    mark = None

    def default(self, value):
        if isinstance(value, bytes):
            return value.decode()
        if type(value).__name__ == "Decimal" and hasattr(value, "is_nan"):
            if value.is_nan():
                return math.nan
            if Encoder.mark is None:
                Encoder.mark = f"decimal-{os.urandom(16).hex()}:"
            return f"{Encoder.mark}{value}"
        return super().default(value)


encoder = Encoder(ensure_ascii=ENSURE_ASCII, allow_nan=True)


def to_json(value):
    text = encoder.encode(value)
    if Encoder.mark is not None and Encoder.mark in text:
        import re

        text = re.sub(f'"{Encoder.mark}([^"]*)"', r"\1", text)
    return text


# -- The Runtime API


class Connection:
    """One connection for all requests."""

    def __init__(self, address):
        self.address = address
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def request(self, method, path, headers=(), body=None):
        # What was printed without an end of line belongs to what ends here.
        sys.stdout.flush()
        sys.stderr.flush()
        head = [f"{method} {API}{path} HTTP/1.1", f"Host: {self.address}"]
        head += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        self.socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + (body or b""))
        return self.read()

    def read(self):
        while b"\r\n\r\n" not in self.received:
            self.more()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        parts, held = [self.received], len(self.received)
        while held < length:
            parts.append(self.piece())
            held += len(parts[-1])
        everything = b"".join(parts)
        self.received = everything[length:]
        return headers, everything[:length]

    def more(self):
        self.received += self.piece()

    def piece(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            os._exit(1)  # without the server there is nothing left to do
        return piece


# -- Logging


def location_of(record):
    return f"{record.pathname}:{record.funcName}:{record.lineno}"


class JsonFormatter(logging.Formatter):
    """One JSON object per entry; what `extra` gave goes beside the known members."""

    RESERVED = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"aws_request_id", "taskName"}

    def format(self, record):
        level = min(50, max(0, record.levelno)) // 10 * 10
        is_object = isinstance(record.msg, dict) and not record.args
        result = {
            "timestamp": time.strftime(DATE_FORMAT, time.gmtime(record.created)),
            "level": logging.getLevelName(level),
            "message": record.msg if is_object else record.getMessage(),
            "logger": record.name,
            "requestId": getattr(record, "aws_request_id", None),
        }
        if record.exc_info and record.exc_info[0] is not None:
            import traceback

            kind, value, trace = record.exc_info
            result["stackTrace"] = traceback.format_tb(trace)
            result["errorType"] = kind.__name__
            result["errorMessage"] = str(value)
            result["location"] = location_of(record)
        more = ((name, value) for name, value in record.__dict__.items() if name not in self.RESERVED)
        result.update((name, value) for name, value in more if name not in result)
        result = {name: value for name, value in result.items() if value is not None}
        return json.dumps(result, ensure_ascii=False, default=str) + "\n"


class Handler(logging.Handler):
    """Entries go to standard output, each with the id of the request."""

    def emit(self, record):
        sys.stdout.write(self.format(record))


def add_request_id(record):
    record.aws_request_id = request_id or ""
    return True


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    handler = Handler()
    if JSON_LOGS:
        handler.setFormatter(JsonFormatter())
    else:
        line = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(line, "%Y-%m-%dT%H:%M:%S"))
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = {"TRACE": "DEBUG"}.get(level, level)
    if level in logging._nameToLevel:
        logging.getLogger().setLevel(level)
    handler.addFilter(add_request_id)
    logging.getLogger().addHandler(handler)


def log_error(error):
    if JSON_LOGS:
        line = {"timestamp": time.strftime(DATE_FORMAT, time.gmtime()), "level": "ERROR", **error}
        sys.stdout.write(to_json(line) + "\n")
        return
    title = " ".join(part for part in (error["errorType"], error["errorMessage"]) if part)
    if error["errorType"] and error["errorMessage"]:
        title = f"{error['errorType']}: {error['errorMessage']}"
    lines = [f"[ERROR] {title}".rstrip(), "Traceback (most recent call last):"]
    for element in error["stackTrace"]:
        for line in element.splitlines() or [""]:
            bare = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(bare)) + bare)
    sys.stdout.write("\r".join(lines) + "\n")


# -- Errors


def described(message, kind, trace, of_request):
    return {
        "errorMessage": message or "",
        "errorType": kind or "",
        "requestId": of_request or "",
        "stackTrace": trace or [],
    }


def frames_of(trace):
    """Without our own."""
    import traceback

    frames = [(one.filename, one.lineno, one.name, one.line) for one in traceback.extract_tb(trace)]
    for index, frame in enumerate(frames):
        if frame[0] != __file__:
            return frames[index:], traceback.format_list(frames[index:])
    return frames, traceback.format_list(frames)


def x_ray_cause(kind, message, frames):
    stack = [{"label": name, "path": file, "line": line} for file, line, name, _ in frames]
    exception = {"message": message, "type": kind, "stack": stack}
    cause = {
        "working_directory": os.getcwd(),
        "exceptions": [exception],
        "paths": list({file for file, *_ in frames}),
    }
    return json.dumps(cause)


# -- The handler


def load_handler(handler):
    import importlib

    try:
        module, name = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("MalformedHandlerName", f"Bad handler '{handler}': {error}") from None
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault("BuiltInModuleConflict", f"Cannot use built-in module {module} as a handler module")
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module}': {error}{advice(error, module)}"
        raise Fault("ImportModuleError", message) from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise Fault("UserCodeSyntaxError", f"Syntax error in module '{module}': {error}", trace) from error
    try:
        return getattr(loaded, name)
    except AttributeError:
        raise Fault("HandlerNotFound", f"Handler '{name}' missing on module '{module}'") from None


def advice(error, module):
    """How to get a package that is missing. The handler's own module is none."""
    import re
    from importlib.util import find_spec

    name = (error.name or "").split(".")[0]
    if not INSTALL or not name or name == re.split("[./]", module)[0] or find_spec(name) is not None:
        return ""
    commands = json.loads(INSTALL)
    if name in commands["brought"]:
        return f"\n[tandem] To install it: {commands['brought'][name]}"
    command, named = commands["one"] + " " + name, " (if its package is called so)"
    try:
        manifest, everything = commands["all"]
        with open(manifest, encoding="utf-8") as lines:
            listed = [re.split(r"[^\w.-]", line.strip())[0].lower().replace("-", "_") for line in lines]
        if name.lower() in listed:
            command, named = everything, ""
    except (OSError, TypeError, ValueError):
        pass  # there is no such file, or nothing to be read in it
    return f"\n[tandem] To install it{named}: {command}{commands['place']}"


class OldBotocore:
    """botocore before 1.31 knows nothing of AWS_ENDPOINT_URL: it is told the endpoint of every client."""

    def find_spec(self, name, path, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        import importlib.util

        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                self.patch(module)

            spec.loader.exec_module = exec_module
        return spec

    @staticmethod
    def patch(module):
        import botocore

        version = tuple(int(part) for part in botocore.__version__.split(".")[:2] if part.isdigit())
        if version >= (1, 31):
            return
        create = module.Session.create_client

        def create_client(self, service_name, *args, **kwargs):
            if len(args) < 5 and kwargs.get("endpoint_url") is None:
                own = "AWS_ENDPOINT_URL_" + service_name.upper().replace("-", "_")
                kwargs["endpoint_url"] = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")
            return create(self, service_name, *args, **kwargs)

        module.Session.create_client = create_client


# -- Invocations


def with_slots(name, *slots):
    shown = lambda self: f"{name}([{','.join(f'{slot}={getattr(self, slot)}' for slot in slots)}])"
    return type(name, (), {"__slots__": slots, "__repr__": shown})


CognitoIdentity = with_slots("CognitoIdentity", "cognito_identity_id", "cognito_identity_pool_id")
Client = with_slots(
    "Client", "installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"
)
ClientContext = with_slots("ClientContext", "custom", "env", "client")


def filled(kind, values):
    if values is None:
        return None
    made = kind()
    for slot in kind.__slots__:
        setattr(made, slot, values.get(slot))
    return made


class LambdaContext:
    """What a handler is told beside its event."""

    def __init__(self, headers):
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.client_context = filled(
            ClientContext, parsed(headers, "lambda-runtime-client-context", "Client Context")
        )
        if self.client_context is not None:
            self.client_context.client = filled(Client, self.client_context.client)
        identity = parsed(headers, "lambda-runtime-cognito-identity", "Cognito Identity") or {}
        self.identity = filled(CognitoIdentity, {})
        self.identity.cognito_identity_id = identity.get("cognitoIdentityId")
        self.identity.cognito_identity_pool_id = identity.get("cognitoIdentityPoolId")
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        names = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        )
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in names)}])"


def parsed(headers, name, title):
    if not headers.get(name):
        return None
    try:
        return json.loads(headers[name].encode("latin-1").decode())
    except Exception as error:
        raise Fault("LambdaContextUnmarshalError", f"Unable to parse {title} JSON: {error}") from error


def answer_to(handler, headers, body):
    """The response, and its content type."""
    context = LambdaContext(headers)
    try:
        event = json.loads(body)
    except Exception as error:
        raise Fault("UnmarshalError", f"Unable to unmarshal input: {error}") from error
    response = handler(event, context)
    if isinstance(response, bytes):
        return response, "application/unknown"
    try:
        return to_json(response).encode(), "application/json"
    except Exception as error:
        raise Fault("MarshalError", f"Unable to marshal response: {error}") from error


def run(connection, handler, headers, body):
    path = f"invocation/{request_id}"
    try:
        response, kind = answer_to(handler, headers, body)
    except Fault as fault:
        error = described(fault.message, fault.kind, fault.trace, request_id)
        cause = x_ray_cause("LambdaValidationError", fault.message, [])
    except Exception:
        kind, value, trace = sys.exc_info()
        frames, lines = frames_of(trace)
        error = described(str(value), kind.__name__, lines, request_id)
        cause = x_ray_cause(kind.__name__, str(value), frames)
    else:
        connection.request("POST", f"{path}/response", (("Content-Type", kind),), response)
        return
    log_error(error)
    headers = [("Content-Type", "application/json")]
    if len(cause) <= CAUSE_LENGTH_MAX:
        headers.append(("Lambda-Runtime-Function-XRay-Error-Cause", cause))
    connection.request("POST", f"{path}/error", headers, to_json(error).encode())


def main():
    global request_id
    # The place of this file is nothing that functions should see; their own code comes first.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sys.argv = [sys.argv[0]]
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    set_up_logging()
    if os.environ.get("AWS_ENDPOINT_URL"):
        sys.meta_path.insert(0, OldBotocore())
    error = None
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Fault as fault:
        error = described(fault.message, fault.kind, fault.trace, None)
    except Exception:
        kind, value, trace = sys.exc_info()
        error = described(str(value), kind.__name__, frames_of(trace)[1], None)
    if error is not None:
        log_error(error)
        headers = (("Content-Type", "application/json"), ("Lambda-Runtime-Function-Error-Type", error["errorType"]))
        connection.request("POST", "init/error", headers, to_json(error).encode())
        sys.exit(1)
    while True:
        headers, body = connection.request("GET", "invocation/next")
        request_id = headers["lambda-runtime-aws-request-id"]
        if "lambda-runtime-trace-id" in headers:
            os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        run(connection, handler, headers, body)


if __name__ == "__main__":
    main()
