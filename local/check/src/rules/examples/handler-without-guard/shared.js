module.exports.announce = async (attributes) => console.log(attributes.sub);
