//! Pool against table: drift, repair, backfill.
