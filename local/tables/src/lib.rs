//! DynamoDB and its Streams: dynoxide behind our router.
