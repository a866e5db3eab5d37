const { UpdateUserPoolCommand } = require('@aws-sdk/client-cognito-identity-provider');
const { cognito } = require('./cognito');

exports.handler = async ({ pool, functionArn }) =>
  cognito.send(
    new UpdateUserPoolCommand({ UserPoolId: pool, LambdaConfig: { PostConfirmation: functionArn } }), // <- here
  );
