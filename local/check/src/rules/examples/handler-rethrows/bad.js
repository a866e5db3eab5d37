const { announce } = require('./announce');

module.exports.handler = async (event) => {
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    try {
      await announce(event);
    } catch (error) {
      console.error(error);
      throw error; // <- here
    }
  }
  return event;
};
