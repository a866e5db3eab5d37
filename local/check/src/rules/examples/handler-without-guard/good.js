const { announce } = require('./shared');

module.exports.handler = async (event) => {
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    await announce(event.request.userAttributes);
  }
  return event;
};
