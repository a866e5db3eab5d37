module.exports.handler = async (event) => {
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    // Handler code goes here ...
  }

  // Return the event object
  return event;
}
