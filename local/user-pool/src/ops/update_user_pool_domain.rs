//! `UpdateUserPoolDomain`: what a call leaves out stays.

use aws_api::Call;
use serde::Deserialize;

use super::create_user_pool_domain::{Response, report};
use crate::declared::Domain;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    domain: String,
    user_pool_id: String,
    #[serde(flatten)]
    settings: Domain,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let Request { domain: name, user_pool_id, settings } = request;
    let pool = room.pool(&user_pool_id)?;
    let now = room.world.clock.now();
    let checked = name.clone();
    let change = move |domain: &mut Domain| {
        if settings.is_custom() && !domain.is_custom() {
            return Err(Error::InvalidParameter("A prefix domain cannot become a custom domain.".into()));
        }
        domain.custom_domain_config = settings.custom_domain_config.or(domain.custom_domain_config.take());
        domain.managed_login_version = settings.managed_login_version.or(domain.managed_login_version);
        domain.others.extend(settings.others);
        domain.check(&checked)
    };
    let updated = room.store.redeclare(&pool.id, &name, now, change).await?;
    report(room, &name, &updated.document);
    Ok(Response::of(&name, &updated.document))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn the_version_of_the_pages_can_change() {
        let t = Kit::new().await;
        let domain = |version: i64| json!({"UserPoolId": t.pool, "Domain": "my-app", "ManagedLoginVersion": version});
        let message = t.call("UpdateUserPoolDomain", domain(2)).await.error("InvalidParameterException");
        assert_eq!(message, "No such domain or user pool exists.");
        t.call("CreateUserPoolDomain", domain(1)).await.ok();
        t.call("UpdateUserPoolDomain", domain(2)).await.ok();
        let found = t.call("DescribeUserPoolDomain", json!({"Domain": "my-app"})).await.ok();
        assert_eq!(found["DomainDescription"]["ManagedLoginVersion"], 2);
        t.call("UpdateUserPoolDomain", domain(3)).await.error("InvalidParameterException");
        let mut custom = domain(2);
        custom["CustomDomainConfig"] = json!({"CertificateArn": "arn"});
        t.call("UpdateUserPoolDomain", custom).await.error("InvalidParameterException");
    }
}
