const { DescribeUserPoolCommand, UpdateUserPoolCommand } = require('@aws-sdk/client-cognito-identity-provider');
const { cognito, settings } = require('./cognito');

exports.handler = async ({ pool, functionArn }) => {
  const { UserPool } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId: pool }));
  const LambdaConfig = { ...UserPool.LambdaConfig, PostConfirmation: functionArn };
  await cognito.send(new UpdateUserPoolCommand({ ...settings(UserPool), UserPoolId: pool, LambdaConfig }));
};
