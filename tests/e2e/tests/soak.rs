//! At-least-once: few people and few kills in the everyday run, a few thousand people where CI runs, one seed. What is
//! proven and how: `e2e::soak`; longer by `cargo xtask soak`.

use e2e::soak::{self, Soak};

const EVERYDAY: Soak = Soak { sign_ups: 200, seed: 1, kills: 4 };
const IN_CI: Soak = Soak { sign_ups: 2_000, seed: 1, kills: 10 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_and_faults_lose_nothing() {
    soak::run(if is_ci() { IN_CI } else { EVERYDAY }).await;
}

#[expect(clippy::disallowed_methods, reason = "a test takes no arguments")]
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty())
}
