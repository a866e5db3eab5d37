//! Removing what left the template, and what was replaced.

use super::Load;
use crate::error::{LoadError, StackError};
use crate::kinds;
use crate::nested;
use crate::store::{Recorded, State};
use crate::{Change, What};

impl Load<'_> {
    /// Removes what left the template and what was replaced, the last made first.
    pub(super) async fn remove(&mut self) -> Result<(), LoadError> {
        let template = self.template;
        let left = |row: &&Recorded| {
            row.state != State::Kept
                && template.resource(&row.logical_id).is_none_or(|resource| resource.kind != row.kind)
        };
        let mut leaving: Vec<(Recorded, bool)> =
            self.recorded.values().filter(left).cloned().map(|row| (row, true)).collect();
        leaving.extend(std::mem::take(&mut self.replaced).into_iter().map(|row| (row, false)));
        leaving.sort_by_key(|(row, _)| std::cmp::Reverse(row.position));
        for (row, left) in leaving {
            self.remove_one(row, left).await?;
        }
        Ok(())
    }

    async fn remove_one(&mut self, row: Recorded, left: bool) -> Result<(), LoadError> {
        if row.kind == nested::TYPE && row.deletion_policy != "Retain" {
            self.remove_stack(&row.logical_id).await?;
        }
        let kind = kinds::of(&row.kind);
        let failed = |error: StackError| LoadError::Removal {
            logical_id: row.logical_id.clone(),
            kind: row.kind.clone(),
            error: Box::new(error),
        };
        let at = self.at(&row.logical_id, &row.standing.id);
        let reason = match row.deletion_policy.as_str() {
            _ if !left => None,
            "Retain" | "RetainExceptOnCreate" => Some("its DeletionPolicy is Retain".to_owned()),
            _ => kind.holds(&at, &row.standing).await.map_err(failed)?.map(|what| format!("it has {what} in it")),
        };
        if let Some(reason) = reason {
            tracing::warn!("{} ({}) left the template and stays: {reason}", row.standing.id, row.kind);
            self.changes.push(Change { logical_id: row.logical_id.clone(), kind: row.kind.clone(), what: What::Kept });
            let row = Recorded { state: State::Kept, ..row };
            return Ok(self.record.put(&self.around.stack, &row).await?);
        }
        kind.delete(&at, &row.standing).await.map_err(failed)?;
        if left {
            self.changes.push(Change {
                logical_id: row.logical_id.clone(),
                kind: row.kind.clone(),
                what: What::Removed,
            });
            if self.recorded.get(&row.logical_id).is_some_and(|now| now.kind == row.kind) {
                self.record.forget(&self.around.stack, &row.logical_id).await?;
                self.recorded.remove(&row.logical_id);
            }
        }
        Ok(())
    }

    /// Takes everything out of a stack that was within this one.
    async fn remove_stack(&mut self, logical_id: &str) -> Result<(), LoadError> {
        let around = nested::around(self.around, logical_id);
        let template = nested::nothing(&around)?;
        let elsewhere = self.known.elsewhere;
        let load = Load::run(self.record, self.resources, &around, &template, self.files, elsewhere);
        let loaded = Box::pin(load).await?;
        let within = |change: Change| Change { logical_id: format!("{logical_id}/{}", change.logical_id), ..change };
        self.changes.extend(loaded.changes.into_iter().map(within));
        Ok(())
    }
}
