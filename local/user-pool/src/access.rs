//! Who is signed in: access tokens that come back, and the keys that they are checked with.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use serde_json::{Value, json};
use world::Random;

use crate::client::Client;
use crate::keys::{KeyForge, KeysError, SigningKeys};
use crate::pool::{Pool, PoolId};
use crate::token::{AccessToken, AccessTokens, TokenError, claimed_issuer};
use crate::user::{Sub, User};
use crate::{Error, UserPools};

/// Somebody who showed a good access token.
pub struct SignedIn {
    pub user: User,
    pub pool: Arc<Pool>,
    pub client: Arc<Client>,
}

/// The pools' keys in memory, and the access tokens that were checked with them.
pub struct Keyring {
    forge: KeyForge,
    keys: RwLock<HashMap<PoolId, Arc<SigningKeys>>>,
    tokens: AccessTokens,
}

impl Keyring {
    /// Empty.
    pub fn new(random: Random) -> Self {
        Self { forge: KeyForge::new(random), keys: RwLock::default(), tokens: AccessTokens::default() }
    }

    /// Has keys ready for a pool that will soon need some.
    pub fn warm_up(&self) {
        self.forge.warm_up();
    }

    /// See [`KeyForge::lay_in`].
    #[cfg(test)]
    pub fn lay_in(&self, keys: SigningKeys) {
        self.forge.lay_in(keys);
    }

    /// Forgets a pool that is gone.
    pub fn forget(&self, pool: &PoolId) {
        self.keys.write().expect("no holder panics").remove(pool);
        let issuer = pool.issuer();
        self.tokens.forget(|token| token.iss == issuer);
    }
}

/// The id of a sign-in, kept by its refreshes: a UUID whose last four digits say how often the user had been signed
/// out of everything before. A token of an earlier count is revoked; no row is needed for it.
pub fn sign_in_id(random: &Random, user: &User) -> String {
    let mut id = random.uuid();
    id.truncate(id.len() - 4);
    format!("{id}{:04x}", user.sign_outs)
}

/// Whether a sign-in of this id has outlived a sign-out of everything.
pub fn is_signed_out(sign_in_id: &str, user: &User) -> bool {
    sign_in_id.get(sign_in_id.len().saturating_sub(4)..) != Some(format!("{:04x}", user.sign_outs).as_str())
}

impl UserPools {
    /// A pool's keys: from memory, from the store, or new ones.
    pub(crate) async fn keys(&self, pool: &PoolId) -> Result<Arc<SigningKeys>, Error> {
        if let Some(keys) = self.keyring.keys.read().expect("no holder panics").get(pool) {
            return Ok(Arc::clone(keys));
        }
        let document = if let Some(document) = self.store.signing_keys(pool).await? {
            document
        } else {
            let made = self.keyring.forge.take().await.map_err(|error| no_keys(&error))?;
            let made = made.to_document().map_err(|error| no_keys(&error))?;
            self.store.save_signing_keys(pool, made).await?
        };
        let keys = Arc::new(SigningKeys::from_document(&document).map_err(|error| no_keys(&error))?);
        self.keyring.keys.write().expect("no holder panics").insert(pool.clone(), Arc::clone(&keys));
        Ok(keys)
    }

    /// What `/.well-known/jwks.json` of a pool answers.
    pub async fn jwks(&self, pool: &str) -> Result<Value, Error> {
        let pool = self.pool(pool)?;
        Ok(self.keys(&pool.id).await?.jwks())
    }

    /// What `/.well-known/openid-configuration` of a pool answers. The issuer is AWS's address, as in the tokens; the
    /// keys are where we serve them.
    pub fn discovery(&self, pool: &str, endpoint: &str) -> Result<Value, Error> {
        let pool = self.pool(pool)?;
        Ok(json!({
            "issuer": pool.id.issuer(),
            "jwks_uri": format!("{endpoint}/{}/.well-known/jwks.json", pool.id),
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }))
    }

    /// Whoever an access token belongs to, if it is good at this moment.
    pub(crate) async fn signed_in(&self, token: &str) -> Result<SignedIn, Error> {
        let claims = self.checked(token).await?;
        let (client, pool) = self.client_and_pool(&claims.client_id).map_err(|_| Error::invalid_access_token())?;
        if pool.id.issuer() != claims.iss {
            return Err(Error::invalid_access_token());
        }
        let user = self.store.user(&pool.id, &Sub(claims.sub.clone())).await?.ok_or_else(Error::no_such_user)?;
        if !user.enabled {
            return Err(Error::user_disabled());
        }
        if is_signed_out(&claims.event_id, &user) || self.is_revoked(&pool, claims.origin_jti.as_deref()).await? {
            return Err(Error::NotAuthorized("Access Token has been revoked".into()));
        }
        Ok(SignedIn { user, pool, client })
    }

    /// Whether one sign-in was revoked.
    pub(crate) async fn is_revoked(&self, pool: &Pool, origin_jti: Option<&str>) -> Result<bool, Error> {
        match origin_jti {
            Some(origin_jti) => self.store.is_revoked(&pool.id, origin_jti).await,
            None => Ok(false),
        }
    }

    async fn checked(&self, token: &str) -> Result<Arc<AccessToken>, Error> {
        let now = self.world.clock.now();
        let refused = |error: TokenError| Error::NotAuthorized(error.to_string());
        if let Some(remembered) = self.keyring.tokens.remembered(token, now) {
            return remembered.map_err(refused);
        }
        let issuer = claimed_issuer(token).ok_or_else(Error::invalid_access_token)?;
        let pool = issuer.rsplit('/').next().unwrap_or_default();
        let pool = self.pool(pool).map_err(|_| Error::invalid_access_token())?;
        let keys = self.keys(&pool.id).await?;
        self.keyring.tokens.verify(token, &pool.id.issuer(), &keys, now).map_err(refused)
    }
}

fn no_keys(error: &KeysError) -> Error {
    tracing::error!(%error, "a pool has no keys");
    Error::Internal(storage::StorageError::Closed)
}
