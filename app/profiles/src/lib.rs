//! User profiles in DynamoDB: the item, the identity events, the store.
