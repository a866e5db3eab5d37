const { AdminLinkProviderForUserCommand } = require('@aws-sdk/client-cognito-identity-provider');
const { cognito, link } = require('./cognito');

exports.handler = async (event) => {
  if (event.triggerSource === 'PreSignUp_ExternalProvider') {
    await cognito.send(new AdminLinkProviderForUserCommand(link(event))); // <- here
  }
  return event;
};
