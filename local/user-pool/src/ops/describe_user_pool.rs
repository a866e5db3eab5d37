//! `DescribeUserPool`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::attributes::{Schema, SchemaAttribute};
use crate::declared::{Declared, Domain};
use crate::pool::{Pool, Settings};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_pool: UserPoolType,
}

/// The API's shape of a pool.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserPoolType {
    id: String,
    arn: String,
    creation_date: f64,
    last_modified_date: f64,
    estimated_number_of_users: u64,
    schema_attributes: Vec<SchemaAttribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_domain: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

impl UserPoolType {
    /// Of a pool with so many users.
    pub fn of(pool: &Pool, users: u64) -> Self {
        let mut settings = pool.settings.clone();
        settings.schema.clear(); // given back whole, as SchemaAttributes
        settings.mfa_configuration.get_or_insert_with(|| "OFF".into());
        settings.deletion_protection.get_or_insert_with(|| "INACTIVE".into());
        Self {
            id: pool.id.0.clone(),
            arn: pool.arn.clone(),
            creation_date: pool.created.epoch_seconds(),
            last_modified_date: pool.modified.epoch_seconds(),
            estimated_number_of_users: users,
            schema_attributes: Schema::of(&pool.settings).listed(),
            domain: None,
            custom_domain: None,
            settings,
        }
    }

    /// With the pool's domains.
    fn and(mut self, domains: Vec<Declared<Domain>>) -> Self {
        for domain in domains {
            let member = if domain.document.is_custom() { &mut self.custom_domain } else { &mut self.domain };
            *member = Some(domain.name);
        }
        self
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let users = room.store.count_users(&pool.id).await?;
    let domains = room.store.domains_of(&pool.id).await?;
    Ok(Response { user_pool: UserPoolType::of(&pool, users).and(domains) })
}
