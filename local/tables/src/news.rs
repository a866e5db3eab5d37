//! News for those who read streams: something was written to a table.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

/// The readers, by table. A table is here once somebody has asked for it.
#[derive(Debug, Default)]
pub struct News(RwLock<HashMap<String, watch::Sender<u64>>>);

impl News {
    /// Changes whenever something may have been written to the table.
    pub fn of(&self, table: &str) -> watch::Receiver<u64> {
        let mut tables = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tables.retain(|name, sender| name == table || sender.receiver_count() > 0);
        tables.entry(table.to_owned()).or_default().subscribe()
    }

    /// Something was written by a request of this text. A table whose name is in it without being written to has
    /// its readers look once for nothing.
    pub fn written(&self, request: &str) {
        let tables = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (_, sender) in tables.iter().filter(|(name, _)| request.contains(name.as_str())) {
            sender.send_modify(|count| *count += 1);
        }
    }

    /// Something was written somewhere.
    pub fn written_anywhere(&self) {
        for sender in self.0.read().unwrap_or_else(PoisonError::into_inner).values() {
            sender.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_news_of_its_table() {
        let news = News::default();
        let (people, orders) = (news.of("people"), news.of("orders"));
        news.written(r#"{"TableName":"people"}"#);
        assert!(people.has_changed().expect("there is a sender") && !orders.has_changed().expect("there is a sender"));
    }

    #[test]
    fn readers_that_are_gone_are_forgotten() {
        let news = News::default();
        drop(news.of("people"));
        let _orders = news.of("orders");
        assert_eq!(news.0.read().expect("no holder panics").len(), 1);
    }
}
