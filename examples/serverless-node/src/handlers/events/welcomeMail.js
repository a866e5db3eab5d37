const { SESv2Client, SendEmailCommand } = require('@aws-sdk/client-sesv2');

const ses = new SESv2Client({});

module.exports.handler = async ({ detail: { email, name } }) => {
  await ses.send(new SendEmailCommand({
    FromEmailAddress: process.env.SENDER,
    Destination: { ToAddresses: [email] },
    Content: {
      Simple: {
        Subject: { Data: 'Welcome' },
        Body: { Text: { Data: `Hello ${name ?? email}, it is good to have you.` } },
      },
    },
  }));
};
