//! What belongs to a user pool beside its clients: each is made by one operation whose members are its properties.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::StackError;
use crate::kind::{At, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, is_missing, only};
use crate::name::physical_name;
use crate::shape::{Member, Shape, anything, items, members, not_honoured, number, text, text_map, texts, truth};

const IDP: &str = "cognito-idp";
const NAME_LENGTH_MAX: usize = 128;

/// A part of a pool that its own name and the pool's id find again.
pub struct PoolPart {
    members: &'static [Member],
    /// The property that is its name, and what `Ref` gives.
    name: &'static [&'static str],
    make: &'static str,
    /// Without one, nothing of it can be changed.
    update: Option<&'static str>,
    find: &'static str,
    delete: &'static str,
    /// The members that the last two take.
    key: &'static [&'static str],
    rank: Rank,
}

pub static DOMAIN: PoolPart = PoolPart {
    members: {
        const MEMBERS: &[Member] = &[
            members("CustomDomainConfig", &[text("CertificateArn")]),
            text("Domain").required().fixed(),
            number("ManagedLoginVersion"),
            not_honoured("Routing"),
            text("UserPoolId").required().fixed(),
        ];
        MEMBERS
    },
    name: &["Domain"],
    make: "CreateUserPoolDomain",
    update: Some("UpdateUserPoolDomain"),
    find: "DescribeUserPoolDomain",
    delete: "DeleteUserPoolDomain",
    key: &["Domain", "UserPoolId"],
    rank: Rank::OfCallers,
};

pub static GROUP: PoolPart = PoolPart {
    members: {
        const MEMBERS: &[Member] = &[
            text("Description"),
            text("GroupName").fixed(),
            number("Precedence"),
            text("RoleArn"),
            text("UserPoolId").required().fixed(),
        ];
        MEMBERS
    },
    name: &["GroupName"],
    make: "CreateGroup",
    update: Some("UpdateGroup"),
    find: "GetGroup",
    delete: "DeleteGroup",
    key: &["GroupName", "UserPoolId"],
    rank: Rank::OfCallers,
};

pub static RESOURCE_SERVER: PoolPart = PoolPart {
    members: {
        const SCOPE: Shape = Shape::Members(&[text("ScopeDescription").required(), text("ScopeName").required()]);
        const MEMBERS: &[Member] = &[
            text("Identifier").required().fixed(),
            text("Name").required(),
            items("Scopes", &SCOPE),
            text("UserPoolId").required().fixed(),
        ];
        MEMBERS
    },
    name: &["Identifier"],
    make: "CreateResourceServer",
    update: Some("UpdateResourceServer"),
    find: "DescribeResourceServer",
    delete: "DeleteResourceServer",
    key: &["Identifier", "UserPoolId"],
    rank: Rank::Callers, // clients name its scopes
};

pub static IDENTITY_PROVIDER: PoolPart = PoolPart {
    members: {
        const MEMBERS: &[Member] = &[
            text_map("AttributeMapping"),
            texts("IdpIdentifiers"),
            text_map("ProviderDetails").required(),
            text("ProviderName").required().fixed(),
            text("ProviderType").required().fixed(),
            text("UserPoolId").required().fixed(),
        ];
        MEMBERS
    },
    name: &["ProviderName"],
    make: "CreateIdentityProvider",
    update: Some("UpdateIdentityProvider"),
    find: "DescribeIdentityProvider",
    delete: "DeleteIdentityProvider",
    key: &["ProviderName", "UserPoolId"],
    rank: Rank::Callers, // clients name it
};

pub static USER: PoolPart = PoolPart {
    members: {
        const ATTRIBUTE: Shape = Shape::Members(&[text("Name").required(), text("Value")]);
        const MEMBERS: &[Member] = &[
            anything("ClientMetadata").fixed(),
            texts("DesiredDeliveryMediums").fixed(),
            truth("ForceAliasCreation").fixed(),
            text("MessageAction").fixed(),
            items("UserAttributes", &ATTRIBUTE).fixed(),
            text("UserPoolId").required().fixed(),
            text("Username").fixed(),
            items("ValidationData", &ATTRIBUTE).fixed(),
        ];
        MEMBERS
    },
    name: &["Username"],
    make: "AdminCreateUser",
    update: None,
    find: "AdminGetUser",
    delete: "AdminDeleteUser",
    key: &["Username", "UserPoolId"],
    rank: Rank::Last, // its triggers are there by then
};

#[async_trait]
impl Kind for PoolPart {
    fn members(&self) -> &'static [Member] {
        self.members
    }

    fn made_by(&self) -> Operation {
        (IDP, self.make)
    }

    fn rank(&self) -> Rank {
        self.rank
    }

    fn naming(&self) -> &'static [&'static str] {
        self.name
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(named.name(self.name[0], NAME_LENGTH_MAX))
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        at.call((IDP, self.make), self.input(at, properties)).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, _: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let Some(update) = self.update else { return Ok(Made::default()) };
        let mut input = self.input(at, properties);
        if let Some(input) = input.as_object_mut() {
            input.remove("ProviderType"); // settled when a provider is made
        }
        at.call((IDP, update), input).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((IDP, self.find), self.key(standing)).await?;
        // Of a domain that is not there, the description is empty.
        let found = found.filter(|answer| answer.get("DomainDescription").is_none_or(|domain| domain != &json!({})));
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((IDP, self.delete), self.key(standing)).await.map(drop)
    }
}

impl PoolPart {
    fn input(&self, at: &At<'_>, properties: &Properties) -> Value {
        let mut input = Value::Object(properties.clone());
        input[self.name[0]] = at.id.into();
        input
    }

    fn key(&self, standing: &Standing) -> Value {
        let mut key = Value::Object(only(&standing.properties, self.key));
        key[self.name[0]] = standing.id.as_str().into();
        key
    }
}

/// A user's place in a group.
pub struct Membership;

#[async_trait]
impl Kind for Membership {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            text("GroupName").required().fixed(),
            text("UserPoolId").required().fixed(),
            text("Username").required().fixed(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (IDP, "AdminAddUserToGroup")
    }

    fn rank(&self) -> Rank {
        Rank::Last
    }

    fn naming(&self) -> &'static [&'static str] {
        &["GroupName", "Username"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let part = |property| named.given(property).unwrap_or_default();
        Identity::of(format!("{}|{}", part("GroupName"), part("Username")))
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        at.call((IDP, "AdminAddUserToGroup"), Value::Object(properties.clone())).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let input = Value::Object(only(&standing.properties, &["UserPoolId", "Username"]));
        let groups = at.ask((IDP, "AdminListGroupsForUser"), input).await?.unwrap_or_default();
        let groups = groups["Groups"].as_array().map(Vec::as_slice).unwrap_or_default();
        let name = standing.text("GroupName");
        Ok(groups.iter().any(|group| group["GroupName"] == name).then(Made::default))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((IDP, "AdminRemoveUserFromGroup"), Value::Object(standing.properties.clone())).await.map(drop)
    }

    fn adopts(&self) -> bool {
        true // adding somebody twice changes nothing
    }
}

/// A member and what it is then.
type Emptied = (&'static str, fn() -> Value);

/// What is set for a pool, or for a client of it, and is never gone, only empty.
pub struct Setting {
    members: &'static [Member],
    set: &'static str,
    get: &'static str,
    /// Where an answer has it.
    answer: &'static str,
    /// The members that say whose it is.
    key: &'static [&'static str],
    /// What is set when it is taken away; none for nothing but the key.
    empty: Option<Emptied>,
}

/// The style sheet of a client's login pages, or of all clients'.
pub static LOOKS: Setting = Setting {
    members: {
        const MEMBERS: &[Member] =
            &[text("CSS"), text("ClientId").required().fixed(), text("UserPoolId").required().fixed()];
        MEMBERS
    },
    set: "SetUICustomization",
    get: "GetUICustomization",
    answer: "UICustomization",
    key: &["ClientId", "UserPoolId"],
    empty: Some(("CSS", || "".into())),
};

pub static RISKS: Setting = Setting {
    members: {
        const MEMBERS: &[Member] = &[
            anything("AccountTakeoverRiskConfiguration"),
            text("ClientId").required().fixed(),
            anything("CompromisedCredentialsRiskConfiguration"),
            anything("RiskExceptionConfiguration"),
            text("UserPoolId").required().fixed(),
        ];
        MEMBERS
    },
    set: "SetRiskConfiguration",
    get: "DescribeRiskConfiguration",
    answer: "RiskConfiguration",
    key: &["ClientId", "UserPoolId"],
    empty: None,
};

pub static LOGS: Setting = Setting {
    members: {
        const MEMBERS: &[Member] = &[anything("LogConfigurations"), text("UserPoolId").required().fixed()];
        MEMBERS
    },
    set: "SetLogDeliveryConfiguration",
    get: "GetLogDeliveryConfiguration",
    answer: "LogDeliveryConfiguration",
    key: &["UserPoolId"],
    empty: Some(("LogConfigurations", || json!([]))),
};

#[async_trait]
impl Kind for Setting {
    fn members(&self) -> &'static [Member] {
        self.members
    }

    fn made_by(&self) -> Operation {
        (IDP, self.set)
    }

    fn rank(&self) -> Rank {
        Rank::Last // looks need a domain
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(physical_name(&named.around.stack, named.logical_id, NAME_LENGTH_MAX))
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = properties.clone();
        if let Some((member, empty)) = self.empty {
            input.entry(member).or_insert_with(empty);
        }
        at.call((IDP, self.set), Value::Object(input)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let input = Value::Object(only(&standing.properties, self.key));
        let found = at.ask((IDP, self.get), input).await?;
        // A client that has none shows those of all, which say `ALL` or nothing.
        let client = standing.properties.get("ClientId").and_then(Value::as_str).filter(|client| *client != "ALL");
        let is_own = |answer: &Value| client.is_none_or(|client| answer[self.answer]["ClientId"] == client);
        Ok(found.filter(is_own).map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let mut input = Value::Object(only(&standing.properties, self.key));
        if let Some((member, empty)) = self.empty {
            input[member] = empty();
        }
        // Looks cannot even be emptied once the domain is gone.
        match at.unless("InvalidParameterException", (IDP, self.set), input).await {
            Err(failure) if is_missing(&failure.error) => Ok(()),
            result => result.map(drop),
        }
    }

    fn adopts(&self) -> bool {
        true // setting it replaces what was set
    }
}
