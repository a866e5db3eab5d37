const { announce } = require('../../announce');

module.exports.handler = async (event) => {
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    await announce(event);
  }

  // Return the event object
  return event;
}
