//! The room itself: the APIs in memory and on disk, and what is handed in from outside.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use aws_api::{Protocol, Service, ServiceName};
use serde::{Deserialize, Serialize};
use storage::{Database, Durability, Location, StorageError};
use tokio::sync::Mutex;
use world::World;

use crate::error::Error;
use crate::http_api::HttpApi;
use crate::outside::{Functions, Issuers};
use crate::rest_api::RestApi;
use crate::served::Kind;
use crate::{ops, rest_ops, store};

const HTTP: ServiceName = ServiceName {
    title: "Amazon API Gateway (HTTP APIs)",
    target: "apigatewayv2",
    signing: "apigateway",
    protocol: Protocol::RestJson,
    unsigned: &[],
    constraint_exception: "BadRequestException",
};

const REST: ServiceName = ServiceName { title: "Amazon API Gateway (REST APIs)", target: "apigateway", ..HTTP };

/// API Gateway.
pub struct HttpApis {
    pub(crate) world: World,
    pub(crate) functions: Arc<dyn Functions>,
    pub(crate) issuers: Arc<dyn Issuers>,
    /// `http://127.0.0.1:4566`
    endpoint: String,
    database: Database,
    /// Few and read at every request: kept here as well as in the store.
    apis: RwLock<BTreeMap<String, Arc<Api>>>,
    /// One change after the other.
    changing: Mutex<()>,
}

/// What the room needs of others.
pub struct Outside {
    /// Who calls functions.
    pub functions: Arc<dyn Functions>,
    /// Who knows the keys of tokens.
    pub issuers: Arc<dyn Issuers>,
    /// Where this server is reached: `http://127.0.0.1:4566`.
    pub endpoint: String,
}

/// Where an API is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAddress {
    /// Of the API.
    pub name: String,
    /// Of the API.
    pub id: String,
    /// With the stage, if that is not `$default`.
    pub url: String,
}

/// An API of either kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Api {
    Http(HttpApi),
    Rest(RestApi),
}

impl Api {
    pub fn id(&self) -> &str {
        match self {
            Self::Http(api) => &api.id,
            Self::Rest(api) => &api.id,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Http(api) => &api.settings.name,
            Self::Rest(api) => &api.settings.name,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Http(_) => Kind::Http,
            Self::Rest(_) => Kind::Rest,
        }
    }

    fn stages(&self) -> Vec<&str> {
        match self {
            Self::Http(api) => api.stages.keys().map(String::as_str).collect(),
            Self::Rest(api) => api.stages.keys().map(String::as_str).collect(),
        }
    }
}

impl HttpApis {
    /// Opens the room over `apis.db` or a database in memory.
    pub fn open(
        world: World,
        location: Location,
        durability: Durability,
        outside: Outside,
    ) -> Result<Arc<Self>, StorageError> {
        let (database, apis) = Database::open_and(location, durability, store::SCHEMA, store::all)?;
        let apis = apis.into_iter().map(|api| (api.id().to_owned(), Arc::new(api))).collect();
        let Outside { functions, issuers, endpoint } = outside;
        let (apis, changing) = (RwLock::new(apis), Mutex::new(()));
        Ok(Arc::new(Self { world, functions, issuers, endpoint, database, apis, changing }))
    }

    /// The services for the router: REST APIs and HTTP APIs sign with one name, so they differ by their targets.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![
            <dyn Service>::of(REST, Arc::clone(self), rest_ops::OPERATIONS),
            <dyn Service>::of(HTTP, Arc::clone(self), ops::OPERATIONS),
        ]
    }

    /// Forgets every API.
    pub async fn reset(&self) -> Result<(), StorageError> {
        let _changing = self.changing.lock().await;
        store::clear(&self.database).await?;
        self.apis.write().expect("no holder panics").clear();
        Ok(())
    }

    /// Where all APIs are reached, stage by stage.
    pub fn addresses(&self) -> Vec<ApiAddress> {
        let apis = self.all();
        let addresses = apis.iter().flat_map(|api| {
            let stages = api.stages().into_iter().map(|stage| {
                let stage = if stage == crate::route_key::DEFAULT { "" } else { stage };
                let url = format!("{}/{stage}", self.endpoint_of(api.id()));
                ApiAddress { name: api.name().to_owned(), id: api.id().to_owned(), url }
            });
            stages.collect::<Vec<_>>()
        });
        addresses.collect()
    }

    /// The domain of an API, without the port.
    pub(crate) fn domain(&self, id: &str) -> String {
        format!("{id}.execute-api.{}.localhost", self.world.place.region)
    }

    /// The address of an API, without a slash behind it.
    pub(crate) fn endpoint_of(&self, id: &str) -> String {
        let port = self.endpoint.trim_end_matches('/').rsplit_once(':').map(|(_, port)| port);
        let port = port.filter(|port| port.parse::<u16>().is_ok()).map_or(String::new(), |port| format!(":{port}"));
        format!("http://{}{port}", self.domain(id))
    }

    /// All APIs, by id.
    pub(crate) fn all(&self) -> Vec<Arc<Api>> {
        self.apis.read().expect("no holder panics").values().cloned().collect()
    }

    pub(crate) fn api(&self, id: &str) -> Option<Arc<Api>> {
        self.apis.read().expect("no holder panics").get(id).cloned()
    }

    /// Reads of an HTTP API.
    pub(crate) fn read_http<T>(&self, id: &str, read: impl FnOnce(&HttpApi) -> Result<T, Error>) -> Result<T, Error> {
        match self.api(id).as_deref() {
            Some(Api::Http(api)) => read(api),
            _ => Err(Error::no_such_api(&self.world.place.account, id)),
        }
    }

    /// Reads of a REST API.
    pub(crate) fn read_rest<T>(&self, id: &str, read: impl FnOnce(&RestApi) -> Result<T, Error>) -> Result<T, Error> {
        match self.api(id).as_deref() {
            Some(Api::Rest(api)) => read(api),
            _ => Err(Error::no_such_api(&self.world.place.account, id)),
        }
    }

    /// Adds an API; its id must be new.
    pub(crate) async fn add(&self, api: Api) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        if self.api(api.id()).is_some() {
            return Err(Error::conflict(format!("An API with the pinned id {} already exists", api.id())));
        }
        self.save(api).await
    }

    /// Changes an HTTP API. What is deployed by itself follows.
    pub(crate) async fn change_http<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut HttpApi) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _changing = self.changing.lock().await;
        let mut api = self.read_http(id, |api| Ok(api.clone()))?;
        let answer = change(&mut api)?;
        api.deploy_by_itself(&self.world);
        self.save(Api::Http(api)).await?;
        Ok(answer)
    }

    /// Changes a REST API. What is deployed stays as it is.
    pub(crate) async fn change_rest<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut RestApi) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _changing = self.changing.lock().await;
        let mut api = self.read_rest(id, |api| Ok(api.clone()))?;
        let answer = change(&mut api)?;
        self.save(Api::Rest(api)).await?;
        Ok(answer)
    }

    /// Removes an API that was looked up before.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        store::delete(&self.database, id).await?;
        self.apis.write().expect("no holder panics").remove(id);
        Ok(())
    }

    async fn save(&self, api: Api) -> Result<(), Error> {
        store::save(&self.database, &api).await?;
        self.apis.write().expect("no holder panics").insert(api.id().to_owned(), Arc::new(api));
        Ok(())
    }
}
