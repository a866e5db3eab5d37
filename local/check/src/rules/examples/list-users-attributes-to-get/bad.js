const { ListUsersCommand } = require('@aws-sdk/client-cognito-identity-provider');
const { cognito } = require('./cognito');

exports.handler = async ({ pool }) =>
  cognito.send(
    new ListUsersCommand({
      UserPoolId: pool,
      AttributesToGet: ['sub', 'phone_number'], // <- here
    }),
  );
