// aws-jwt-verify: what an API does with a token that it is given.

import assert from 'node:assert/strict';
import test from 'node:test';

import {
  ConfirmSignUpCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { CognitoJwtVerifier } from 'aws-jwt-verify';

import { PASSWORD, startCloud } from './cloud.js';

const ADA = 'ada@example.com';

async function signedIn(test) {
  const cloud = await startCloud(test);
  const pools = cloud.pools();
  const user = { ClientId: cloud.app, Username: ADA };
  const UserAttributes = [
    { Name: 'email', Value: ADA },
    { Name: 'name', Value: 'Ada Lovelace' },
  ];
  await pools.send(new SignUpCommand({ ...user, Password: PASSWORD, UserAttributes }));
  await pools.send(new ConfirmSignUpCommand({ ...user, ConfirmationCode: await cloud.code(ADA) }));
  const AuthParameters = { USERNAME: ADA, PASSWORD };
  const input = { ClientId: cloud.app, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters };
  return { cloud, tokens: (await pools.send(new InitiateAuthCommand(input))).AuthenticationResult };
}

// A verifier that knows the pool's keys, as it would after fetching them from the issuer.
async function verifier(cloud, settings) {
  const made = CognitoJwtVerifier.create({ userPoolId: cloud.pool, clientId: cloud.app, ...settings });
  made.cacheJwks(await cloud.jwks());
  return made;
}

test('verify: takes an id token', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const claims = await (await verifier(cloud, { tokenUse: 'id' })).verify(tokens.IdToken);
  assert.equal(claims.email, ADA);
});

test('verify: takes an access token with its scope', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const settings = { tokenUse: 'access', scope: 'aws.cognito.signin.user.admin' };
  const claims = await (await verifier(cloud, settings)).verify(tokens.AccessToken);
  assert.equal(claims.client_id, cloud.app);
});

test('verify: refuses one kind of token for the other', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  await assert.rejects((await verifier(cloud, { tokenUse: 'access' })).verify(tokens.IdToken), /Token use not allowed/);
});

test('verify: refuses a token that was changed', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const [header, payload, signature] = tokens.IdToken.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, email: 'eve@example.com' })).toString('base64url');
  const token = [header, forged, signature].join('.');
  await assert.rejects((await verifier(cloud, { tokenUse: 'id' })).verify(token), /Invalid signature/);
});

test('verify: refuses a token of another client', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const strict = await verifier(cloud, { tokenUse: 'id', clientId: 'another' });
  await assert.rejects(strict.verify(tokens.IdToken), /not allowed: .*Expected: another/);
});

test('verify: the two tokens are signed by two keys of the pool', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const kid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString()).kid;
  const kids = (await cloud.jwks()).keys.map((key) => key.kid);
  assert.notEqual(kid(tokens.IdToken), kid(tokens.AccessToken));
  assert.ok(kids.includes(kid(tokens.IdToken)) && kids.includes(kid(tokens.AccessToken)));
});

test('verify: the discovery document leads to the keys', async (t) => {
  const cloud = await startCloud(t);
  const answer = await fetch(`${cloud.url}/${cloud.pool}/.well-known/openid-configuration`);
  const document = await answer.json();
  const issuer = `https://cognito-idp.${cloud.stack.region}.amazonaws.com/${cloud.pool}`;
  assert.equal(document.issuer, issuer);
  assert.deepEqual(document.id_token_signing_alg_values_supported, ['RS256']);
  assert.ok(document.jwks_uri.endsWith(`/${cloud.pool}/.well-known/jwks.json`), document.jwks_uri);
});
