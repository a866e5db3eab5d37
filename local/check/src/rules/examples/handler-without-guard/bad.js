const { announce } = require('./shared');

// triggerSource is looked at nowhere
module.exports.handler = async (event) => { // <- here
  await announce(event.request.userAttributes);
  return event;
};
