//! A stack's resources, made through the same operations that the API calls.
