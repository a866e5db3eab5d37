//! A room to test in.
