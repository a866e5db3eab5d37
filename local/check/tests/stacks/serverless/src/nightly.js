const { CognitoIdentityProviderClient, paginateListUsers } = require('@aws-sdk/client-cognito-identity-provider');

const client = new CognitoIdentityProviderClient();

module.exports.handler = async () => {
  for await (const page of paginateListUsers({ client }, { UserPoolId: process.env.USER_POOL_ID })) {
    console.log(page.Users.length);
  }
};
