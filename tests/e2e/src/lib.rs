//! Black-box tests: the built binary and the AWS SDK for Rust.
