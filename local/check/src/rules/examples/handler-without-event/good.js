exports.announce = async (event) => {
  try {
    console.log(event.triggerSource);
  } catch (error) {
    console.error(error);
  }
  return event;
};

exports.allow = (event, context, callback) => {
  event.response.autoConfirmUser = true;
  callback(null, event);
};

exports.watch = function (event, context) {
  if (event.userName) {
    context.done(null, event);
  } else {
    context.fail('no name');
  }
};

exports.answer = (event) => Promise.resolve(event);

// Node.js 24 takes what a plain function returns.
exports.words = (event) => {
  event.response.emailSubject = 'Welcome';
  return event;
};

exports.sendMail = async (event) => {
  console.log(event.request.code);
};

exports.createProfile = async (event) => {
  console.log(event.detail);
};
