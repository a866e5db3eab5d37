//! The table that profiles live in.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_sdk_dynamodb::operation::update_time_to_live::builders::UpdateTimeToLiveInputBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
};

/// The partition key.
pub const PARTITION_KEY: &str = "pk";

/// The sort key.
pub const SORT_KEY: &str = "sk";

/// The index that finds people by their address.
pub const EMAIL_INDEX: &str = "byEmail";

/// The index's partition key: the [normalised](crate::normalised) address. Its sort key is the table's partition key.
pub const EMAIL_KEY: &str = "emailKey";

/// The time to live, in seconds since the Unix epoch: tombstones and notes of work done carry it, profiles never do.
pub const EXPIRY: &str = "expiresAt";

/// What creates the table: `table("tandem-profiles")?.send_with(&client)`.
///
/// Its stream has both images: what happens to a profile afterwards is derived from it.
pub fn table(name: &str) -> Result<CreateTableInputBuilder, BuildError> {
    let by_email = GlobalSecondaryIndex::builder()
        .index_name(EMAIL_INDEX)
        .key_schema(key(EMAIL_KEY, KeyType::Hash)?)
        .key_schema(key(PARTITION_KEY, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    Ok(CreateTableInputBuilder::default()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PARTITION_KEY)?)
        .attribute_definitions(attribute(SORT_KEY)?)
        .attribute_definitions(attribute(EMAIL_KEY)?)
        .key_schema(key(PARTITION_KEY, KeyType::Hash)?)
        .key_schema(key(SORT_KEY, KeyType::Range)?)
        .global_secondary_indexes(by_email)
        .stream_specification(stream.build()?))
}

/// What lets the table forget, once it exists: `time_to_live("tandem-profiles")?.send_with(&client)`.
pub fn time_to_live(name: &str) -> Result<UpdateTimeToLiveInputBuilder, BuildError> {
    let specification = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRY).build()?;
    Ok(UpdateTimeToLiveInputBuilder::default().table_name(name).time_to_live_specification(specification))
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
}

fn attribute(name: &str) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
}
