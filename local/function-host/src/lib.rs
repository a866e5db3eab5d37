//! AWS Lambda: the Runtime API, sandboxes, invocations.
