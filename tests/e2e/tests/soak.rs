//! At-least-once, in the everyday run: few people, few kills, one seed. What is proven and how: `e2e::soak`; longer by
//! `cargo xtask soak`.

use e2e::soak::{self, Soak};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_and_faults_lose_nothing() {
    soak::run(Soak { sign_ups: 200, seed: 1, kills: 4 }).await;
}
