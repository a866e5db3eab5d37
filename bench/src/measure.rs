//! The measurements. Each adds its figures beside the aims of the project.

mod accounts;
mod chain;
mod events;
mod functions;
mod list_users;
pub mod package;
mod reconcile;
mod sign_in;
mod start;
mod tables;
mod template;

use std::pin::Pin;

use anyhow::Result;

use crate::Plan;
use crate::figure::Figures;

type Measuring<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A measurement and its name on the command line.
pub type Measurement = (&'static str, for<'a> fn(&'a Plan, &'a mut Figures) -> Measuring<'a>);

/// All of them, in the order of the table.
pub const ALL: &[Measurement] = &[
    ("start", |plan, figures| Box::pin(start::measure(plan, figures))),
    ("chain", |plan, figures| Box::pin(chain::measure(plan, figures))),
    ("sign-up", |plan, figures| Box::pin(accounts::measure(plan, figures))),
    ("get-user", |plan, figures| Box::pin(sign_in::get_user(plan, figures))),
    ("srp", |plan, figures| Box::pin(sign_in::srp(plan, figures))),
    ("sign-in", |plan, figures| Box::pin(sign_in::by_password(plan, figures))),
    ("list-users", |plan, figures| Box::pin(list_users::measure(plan, figures))),
    ("reconcile", |plan, figures| Box::pin(reconcile::measure(plan, figures))),
    ("tables", |plan, figures| Box::pin(tables::measure(plan, figures))),
    ("events", |plan, figures| Box::pin(events::measure(plan, figures))),
    ("functions", |plan, figures| Box::pin(functions::measure(plan, figures))),
    ("package", |plan, figures| Box::pin(package::measure(plan, figures))),
    ("template", |plan, figures| Box::pin(std::future::ready(template::measure(plan, figures)))),
];

/// The prefix of an operation of user pools.
const POOLS: &str = "AWSCognitoIdentityProviderService";

/// A password that every policy takes.
const PASSWORD: &str = "Correct-Horse-7";
