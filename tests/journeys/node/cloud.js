// A local cloud as a process, and the few things that every journey does with one.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const START_MS_MAX = 60_000;

export const PASSWORD = 'Correct-Horse-7';

// Starts a server with the built-in stack, which ends with the test.
export async function startCloud(test) {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-journey-'));
  const logs = process.env.TANDEM_JOURNEY_LOGS ?? directory;
  mkdirSync(logs, { recursive: true });
  const log = createWriteStream(join(logs, `${test.name.replaceAll(/[^\w.-]+/g, '-')}.log`));
  await once(log, 'open');
  const binary = process.env.TANDEM_BIN ?? join(ROOT, 'target/debug/tandem');
  // An empty directory: no stack file of anybody's is picked up.
  const server = spawn(binary, ['dev', '--in-memory', '--port', '0'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', log],
  });
  const ended = once(server, 'exit');
  test.after(async () => {
    server.kill('SIGTERM');
    await ended;
    log.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const timer = setTimeout(() => server.kill('SIGKILL'), START_MS_MAX);
  const lines = createInterface({ input: server.stdout });
  const [first] = await Promise.race([once(lines, 'line'), ended.then(() => [''])]);
  clearTimeout(timer);
  const url = first.match(/^ready (http:\/\/127\.0\.0\.1:\d+)$/)?.[1];
  assert.ok(url, `the server did not start: ${JSON.stringify(first)}; see its log`);
  const cloud = new Cloud(url);
  cloud.stack = await cloud.get('stack');
  return cloud;
}

class Cloud {
  constructor(url) {
    this.url = url;
  }

  get pool() {
    return this.stack.userPoolId;
  }

  get app() {
    return this.stack.userPoolClientId;
  }

  // The SDK's client. One attempt: a retry would hide the first answer.
  pools() {
    return new CognitoIdentityProviderClient({
      endpoint: this.url,
      region: this.stack.region,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
  }

  async get(path, query = {}) {
    const answer = await fetch(`${this.url}/_tandem/${path}?${new URLSearchParams(query)}`);
    assert.equal(answer.status, 200, `GET ${path}`);
    return answer.json();
  }

  async post(path, body = {}) {
    const answer = await fetch(`${this.url}/_tandem/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, `POST ${path}: ${answer.status} ${await answer.text()}`);
  }

  // Waits until nothing is queued or running.
  async settle() {
    await this.post('settle?timeoutMs=20000');
  }

  async advance(seconds) {
    await this.post('clock', { advanceSeconds: seconds });
  }

  async mailbox(to) {
    return (await this.get('mailbox', { to })).messages;
  }

  // The newest code that was sent to somebody.
  async code(to) {
    const codes = (await this.mailbox(to)).map((message) => message.code).filter(Boolean);
    assert.ok(codes.length > 0, `no code was sent to ${to}`);
    return codes.at(-1);
  }

  async jwks() {
    const answer = await fetch(`${this.url}/${this.pool}/.well-known/jwks.json`);
    assert.equal(answer.status, 200);
    return answer.json();
  }
}

// What an error of either client is called.
export function named(name, message) {
  return (error) => {
    assert.equal(error.name, name, error.message);
    if (message !== undefined) assert.equal(error.message, message);
    return true;
  };
}

// The claims of a token, unverified.
export function claims(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}
