//! The Lambda functions of Tandem: one executable, the handler chosen by _HANDLER.
