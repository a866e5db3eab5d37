const { AdminLinkProviderForUserCommand } = require('@aws-sdk/client-cognito-identity-provider');
const { cognito, link } = require('./cognito');

exports.handler = async (event) => event;

exports.link = async (event) => cognito.send(new AdminLinkProviderForUserCommand(link(event)));
