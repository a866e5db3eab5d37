//! The soak test at any length: `cargo xtask soak`.

use clap::Parser;
use e2e::soak::{self, Soak};

/// Signs people up while the server is killed and everything fails that can; at the end nothing is lost
#[derive(Parser)]
struct Arguments {
    /// How many people sign up
    #[arg(long, default_value_t = 5_000)]
    sign_ups: usize,
    /// Of the faults and of the moments of the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the server is killed
    #[arg(long, default_value_t = 25)]
    kills: usize,
}

#[tokio::main]
async fn main() {
    let Arguments { sign_ups, seed, kills } = Arguments::parse();
    soak::run(Soak { sign_ups, seed, kills }).await;
}
