//! A future that runs to its end even when nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Polled where it is while somebody waits; handed to the runtime when it is dropped unfinished. So an
/// invocation costs no task of its own, and yet a caller who goes away does not tear it down half-way: on AWS
/// too a function finishes when its caller hangs up.
pub(crate) struct Unstoppable<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> Unstoppable<F> {
    pub(crate) fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Unstoppable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Unstoppable<F> {
    fn drop(&mut self) {
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_is_dropped_goes_on() {
        let (go, went) = oneshot::channel::<()>();
        let (done, finished) = oneshot::channel();
        let mut future = Unstoppable::new(async move {
            let _ = went.await;
            let _ = done.send(7);
        });
        let waiting = std::future::poll_fn(|context| {
            let polled = Pin::new(&mut future).poll(context);
            Poll::Ready(polled.is_pending())
        });
        assert!(waiting.await);
        drop(future);
        go.send(()).expect("somebody still listens");
        assert_eq!(finished.await, Ok(7));
    }
}
