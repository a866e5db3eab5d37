//! What a run has done so far: for whoever shows it while it runs, and for the report.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What is asked of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A page of users, or one user by their `sub`.
    ListUsers,
    /// The pool's groups.
    ListGroups,
    /// A page of a group's members.
    ListUsersInGroup,
    /// One user's groups.
    AdminListGroupsForUser,
    /// A page of the table.
    Scan,
    /// One profile.
    GetItem,
    /// A page's profiles.
    BatchGetItem,
    /// Up to ten events.
    PutEvents,
    /// A profile, or a tombstone in its place.
    Write,
}

/// All of them, with the names that AWS has.
const OPERATIONS: [(Operation, &str); 9] = [
    (Operation::ListUsers, "ListUsers"),
    (Operation::ListGroups, "ListGroups"),
    (Operation::ListUsersInGroup, "ListUsersInGroup"),
    (Operation::AdminListGroupsForUser, "AdminListGroupsForUser"),
    (Operation::Scan, "Scan"),
    (Operation::GetItem, "GetItem"),
    (Operation::BatchGetItem, "BatchGetItem"),
    (Operation::PutEvents, "PutEvents"),
    (Operation::Write, "UpdateItem or PutItem"),
];

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Users and profiles are read.
    Reading,
    /// Partition by partition, both are compared, and what differs is looked at again.
    Comparing,
}

/// Counts while a run goes on. Shared between the run and whoever watches it.
#[derive(Debug, Default)]
pub struct Meter {
    requests: [AtomicU64; OPERATIONS.len()],
    throttles: AtomicU64,
    /// Thousandths of read capacity units.
    capacity: AtomicU64,
    users: AtomicU64,
    items: AtomicU64,
    phase: AtomicU8,
    partitions: AtomicU64,
    partitions_all: AtomicU64,
    findings: AtomicU64,
}

/// What a meter showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// By operation; those that were not made are left out.
    pub by_operation: BTreeMap<String, u64>,
    /// How often a service asked for fewer.
    pub throttles: u64,
    /// What was read of the table, in read capacity units.
    pub read_capacity: f64,
}

impl Meter {
    /// Nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Users read.
    pub fn users(&self) -> u64 {
        self.users.load(Ordering::Relaxed)
    }

    /// Items of the table looked at.
    pub fn items(&self) -> u64 {
        self.items.load(Ordering::Relaxed)
    }

    /// Findings so far.
    pub fn findings(&self) -> u64 {
        self.findings.load(Ordering::Relaxed)
    }

    /// How often a service asked for fewer.
    pub fn throttles(&self) -> u64 {
        self.throttles.load(Ordering::Relaxed)
    }

    /// Partitions compared, and of how many.
    pub fn partitions(&self) -> (u64, u64) {
        (self.partitions.load(Ordering::Relaxed), self.partitions_all.load(Ordering::Relaxed))
    }

    /// What is being done.
    pub fn phase(&self) -> Phase {
        if self.phase.load(Ordering::Relaxed) == 0 { Phase::Reading } else { Phase::Comparing }
    }

    /// What was asked for so far.
    #[expect(clippy::cast_precision_loss, reason = "nobody reads 2^52 units")]
    pub fn requests(&self) -> Requests {
        let made = OPERATIONS.iter().zip(&self.requests).map(|((_, name), count)| (*name, count));
        let made = made.map(|(name, count)| (name.to_owned(), count.load(Ordering::Relaxed)));
        Requests {
            by_operation: made.filter(|(_, count)| *count > 0).collect(),
            throttles: self.throttles(),
            read_capacity: self.capacity.load(Ordering::Relaxed) as f64 / 1000.0,
        }
    }

    /// Goes on from what an earlier run had counted.
    pub(crate) fn resume(&self, requests: &Requests, users: u64, items: u64) {
        for ((_, name), count) in OPERATIONS.iter().zip(&self.requests) {
            count.store(requests.by_operation.get(*name).copied().unwrap_or_default(), Ordering::Relaxed);
        }
        self.throttles.store(requests.throttles, Ordering::Relaxed);
        self.capacity.store(0, Ordering::Relaxed);
        self.read(requests.read_capacity);
        self.set_users(users);
        self.set_items(items);
    }

    pub(crate) fn asked(&self, operation: Operation) {
        let place = OPERATIONS.iter().position(|(known, _)| *known == operation).expect("all are in the table");
        self.requests[place].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn throttled(&self) {
        self.throttles.fetch_add(1, Ordering::Relaxed);
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a capacity is neither huge nor negative"
    )]
    pub(crate) fn read(&self, capacity: f64) {
        self.capacity.fetch_add((capacity * 1000.0) as u64, Ordering::Relaxed);
    }

    pub(crate) fn set_users(&self, users: u64) {
        self.users.store(users, Ordering::Relaxed);
    }

    pub(crate) fn set_items(&self, items: u64) {
        self.items.store(items, Ordering::Relaxed);
    }

    pub(crate) fn compared(&self, partitions: u64, of: u64) {
        self.phase.store(1, Ordering::Relaxed);
        self.partitions.store(partitions, Ordering::Relaxed);
        self.partitions_all.store(of, Ordering::Relaxed);
    }

    pub(crate) fn found(&self, findings: u64) {
        self.findings.store(findings, Ordering::Relaxed);
    }
}
