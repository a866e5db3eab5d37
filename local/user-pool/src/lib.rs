//! Amazon Cognito user pools: users, sign-up, sign-in, tokens, triggers.
