module.exports.handler = (event, context, callback) => { // <- here
  callback(null, event);
};
