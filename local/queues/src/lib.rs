//! One durable queue engine, with Amazon SQS in front.
