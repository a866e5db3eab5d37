const { AdminCreateUserCommand, CognitoIdentityProviderClient } = require('@aws-sdk/client-cognito-identity-provider');

const cognito = new CognitoIdentityProviderClient();

exports.handler = async ({ email }) =>
  cognito.send(new AdminCreateUserCommand({ UserPoolId: process.env.USER_POOL_ID, Username: email })); // <- here
