// Handlers as people deploy them: the article's post-confirmation trigger, with version 2 of the SDK, which knows
// nothing of AWS_ENDPOINT_URL and is brought along by the runtime.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';

import { startCloud } from './cloud.js';

const HANDLER = `
const AWS = require('aws-sdk');
const eventbridge = new AWS.EventBridge();

module.exports.handler = async (event) => {
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    const { sub, email, name } = event.request.userAttributes;
    const Detail = JSON.stringify({ id: sub, username: event.userName, email, name });
    await eventbridge.putEvents({ Entries: [{ Source: 'ross', DetailType: 'UserCreated', Detail }] }).promise();
  }

  // Return the event object
  return event;
}
`;

async function call(cloud, path, body) {
  const answer = await fetch(`${cloud.url}/2015-03-31/functions${path}`, { method: 'POST', body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  assert.equal(answer.headers.get('x-amz-function-error'), null, await answer.clone().text());
  return answer.json();
}

test('the handler of the article runs unchanged', async (t) => {
  const cloud = await startCloud(t);
  const project = mkdtempSync(join(tmpdir(), 'tandem-project-'));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  const file = join(project, 'src/handlers/cognito/postConfirmation.js');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, HANDLER);
  await call(cloud, '', {
    FunctionName: 'post-confirmation',
    Runtime: 'nodejs16.x',
    Handler: 'src/handlers/cognito/postConfirmation.handler',
    Role: 'arn:aws:iam::000000000000:role/journeys',
    Timeout: 30,
    Code: { S3Bucket: 'hot-reload', S3Key: project },
  });
  const event = {
    triggerSource: 'PostConfirmation_ConfirmSignUp',
    userName: 'ada',
    request: { userAttributes: { sub: '1', email: 'ada@example.com', name: 'Ada' } },
    response: {},
  };
  assert.deepEqual(await call(cloud, '/post-confirmation/invocations', event), event);
});
