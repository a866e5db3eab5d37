// The runtime of Node.js functions: finds the handler, asks for events, answers.
//
// It behaves as AWS's own client does, in two generations: up to Node.js 22 handlers may take a callback and use
// context.done; from 24 on they return, or a promise, and every module is imported. It uses the standard library
// alone and as little of it as possible, for each module that is loaded delays every cold start.
'use strict';

const net = require('net');
const path = require('path');
const fs = require('fs');
const Module = require('module');
const { format, types } = require('util');

const { env } = process;
const MAJOR = Number((env.AWS_EXECUTION_ENV || '').replace(/^.*nodejs(\d+)\..*$/, '$1')) || 24;
const CALLBACKS = MAJOR < 24;
const API = '/2018-06-01/runtime/';
const EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const REQUEST_ID = Symbol.for('aws.lambda.runtime.requestId');
const INSTALL = env.TANDEM_INSTALL;
delete env.TANDEM_INSTALL;

// -- Errors

function failure(kind, message) {
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: `Runtime.${kind}` });
  error.stack = `${error.name}: ${message}${error.stack.slice(error.stack.indexOf('\n    at '))}`;
  return error;
}

const escaped = (text) => String(text).replace(/\x7F/g, '%7F');

// As the Runtime API is told of an error.
function payload(error) {
  try {
    const like = error && typeof error === 'object' && [error.name, error.message, error.stack];
    if (types.isNativeError(error) || (like && like.every((text) => text && typeof text === 'string'))) {
      return {
        errorType: escaped(error.name),
        errorMessage: escaped(error.message),
        trace: escaped(error.stack || '').split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      trace: [],
    };
  }
}

// As X-Ray is told of it.
function cause(error) {
  try {
    const frames = String(error.stack || '').split('\n').slice(1);
    const stack = frames.map((frame) => {
      const [, label, file, line] = frame.trim().match(/^at (?:(.*) \()?(.*?):(\d+):\d+\)?$/) || [];
      return { path: file, line: Number(line), label: label || 'anonymous' };
    });
    const exception = { type: escaped(error.name), message: escaped(error.message), stack };
    const paths = [...new Set(stack.map((entry) => entry.path))];
    return JSON.stringify({ working_directory: process.cwd(), exceptions: [exception], paths });
  } catch {
    return '';
  }
}

// -- Logging

const JSON_LOGS = (env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON';
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

function described(error) {
  return {
    errorType: (error.constructor && error.constructor.name) || 'UnknownError',
    errorMessage: error.message,
    stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
  };
}

function entry(level, parts) {
  const timestamp = new Date().toISOString();
  const requestId = globalThis[REQUEST_ID];
  if (!JSON_LOGS) return `${timestamp}\t${requestId}\t${level}\t${format(...parts)}`;
  const line = { timestamp, level, requestId };
  if (parts.length === 1) {
    const errors = (_, value) => (value instanceof Error ? { ...described(value), ...value } : value);
    try {
      return JSON.stringify({ ...line, message: parts[0] }, errors);
    } catch {
      return JSON.stringify({ ...line, message: format(parts[0]) });
    }
  }
  const error = parts.find((part) => part instanceof Error);
  return JSON.stringify({ ...line, message: format(...parts), ...(error && described(error)) });
}

function log(level, parts) {
  process.stdout.write(`${entry(level, parts).replace(/\n/g, '\r')}\n`);
}

function patchConsole() {
  const least = Math.max(0, LEVELS.indexOf((env.AWS_LAMBDA_LOG_LEVEL || '').toUpperCase()));
  LEVELS.forEach((level, index) => {
    const method = (...parts) => log(level, parts);
    console[level.toLowerCase()] = index >= least ? method : () => {};
  });
  console.log = console.info;
}

// An error of the function's, as an entry of the log.
function logError(title, thrown) {
  const error = thrown instanceof Error ? thrown : new Error(thrown);
  if (JSON_LOGS) return console.error(error);
  const members = (_, value) => {
    if (!(value instanceof Error)) return value;
    const known = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
    return typeof value.stack === 'string' ? { ...known, stack: value.stack.split('\n') } : known;
  };
  let text;
  try {
    text = JSON.stringify(error, members);
  } catch {
    text = JSON.stringify(payload(error));
  }
  console.error(title, `\t${text}`);
}

// -- The Runtime API

// One connection for all requests. While the function works it does not keep the process alive: that an event
// loop is empty must be seen, for it ends invocations.
class Connection {
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.host = address.slice(0, colon);
    this.port = Number(address.slice(colon + 1));
    this.waiting = [];
    this.open();
  }

  open() {
    this.received = Buffer.alloc(0);
    this.socket = net.connect(this.port, this.host);
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => this.read(chunk));
    // Without the server there is nothing left to do.
    this.socket.on('error', () => process.exit(1));
    this.socket.on('close', () => process.exit(1));
  }

  request(method, path, headers, body, then) {
    let head = `${method} ${API}${path} HTTP/1.1\r\nHost: ${this.host}:${this.port}\r\n`;
    for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (bytes) head += `Content-Length: ${bytes.length}\r\n`;
    this.waiting.push(then);
    this.socket.ref();
    this.socket.write(bytes ? Buffer.concat([Buffer.from(`${head}\r\n`), bytes]) : `${head}\r\n`);
  }

  read(chunk) {
    this.received = this.received.length ? Buffer.concat([this.received, chunk]) : chunk;
    while (this.waiting.length) {
      const end = this.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const headers = {};
      const lines = this.received.latin1Slice(0, end).split('\r\n');
      for (const line of lines.slice(1)) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
      }
      const length = Number(headers['content-length'] || 0);
      const begin = end + 4;
      if (this.received.length < begin + length) return;
      const body = this.received.subarray(begin, begin + length);
      this.received = this.received.subarray(begin + length);
      const then = this.waiting.shift();
      if (!this.waiting.length) this.socket.unref();
      then(Number(lines[0].split(' ')[1]), headers, body);
    }
  }
}

const connection = new Connection(env.AWS_LAMBDA_RUNTIME_API);
const JSON_TYPE = { 'Content-Type': 'application/json' };

// What a header may be: one line, and not without end.
const CAUSE_LENGTH_MAX = 16 * 1024;
const oneLine = (text) => text.replace(/[^\x20-\x7E]/g, '?');

function postInitError(error, then) {
  const body = payload(error);
  const headers = { ...JSON_TYPE, 'Lambda-Runtime-Function-Error-Type': oneLine(body.errorType).slice(0, 256) };
  connection.request('POST', 'init/error', headers, JSON.stringify(body), then);
}

function postError(id, error, then = () => {}) {
  const headers = { ...JSON_TYPE };
  const told = oneLine(cause(error));
  if (told && told.length <= CAUSE_LENGTH_MAX) headers['Lambda-Runtime-Function-XRay-Error-Cause'] = told;
  connection.request('POST', `invocation/${id}/error`, headers, JSON.stringify(payload(error)), then);
}

function serialised(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) || 'null';
  } catch {
    const message = 'Unable to stringify response body';
    throw CALLBACKS ? new Error(message) : failure('JSONStringifyError', message);
  }
}

function postResponse(id, result) {
  connection.request('POST', `invocation/${id}/response`, JSON_TYPE, serialised(result), () => {});
}

// -- The handler

// What Lambda's runtimes bring along is found by NODE_PATH, which ES modules do not look at by themselves.
function resolveOnNodePath(resolve, specifier, context, error) {
  const bare = /^(@[^/]+\/)?[^./:#@][^:]*$/.test(specifier);
  if (!bare || !error || !['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(error.code)) throw error;
  for (const directory of (env.NODE_PATH || '').split(path.delimiter).filter(Boolean)) {
    if (path.basename(directory) !== 'node_modules') continue;
    const parentURL = require('url').pathToFileURL(path.join(directory, '../_.mjs')).href;
    try {
      return resolve(specifier, { ...context, parentURL });
    } catch {
      // the next one may have it
    }
  }
  throw error;
}

let hooked = false;
function prepareModules() {
  if (hooked) return;
  hooked = true;
  redirect(require('https'));
  if (!(env.NODE_PATH || '').split(path.delimiter).some((directory) => fs.existsSync(directory))) return;
  if (Module.registerHooks) {
    Module.registerHooks({
      resolve(specifier, context, next) {
        try {
          return next(specifier, context);
        } catch (error) {
          return resolveOnNodePath(next, specifier, context, error);
        }
      },
    });
  } else if (Module.register) {
    Module.register(require('url').pathToFileURL(path.join(__dirname, 'hooks.mjs')));
  }
}

// SDKs that know nothing of AWS_ENDPOINT_URL (version 2, and version 3 before the end of 2023) want to talk to
// AWS. What they say goes to the endpoint; everything else that a function asks of the internet does not.
function redirect(https) {
  if (!env.AWS_ENDPOINT_URL || https.request.toTandem) return;
  const endpoint = new URL(env.AWS_ENDPOINT_URL);
  if (endpoint.protocol !== 'http:') return;
  const original = https.request;
  const isApiCall = (options) => {
    const host = String(options.hostname || options.host || '').split(':')[0];
    if (!/\.amazonaws\.com(\.cn)?$/.test(host)) return false;
    const headers = Object.entries(options.headers || {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
    const { authorization = '', 'x-amz-target': target } = Object.fromEntries(headers);
    return Boolean(target) || authorization.startsWith('AWS4-') || host.startsWith('cognito-idp.');
  };
  const request = function (first, ...rest) {
    const given = rest.find((argument) => argument && typeof argument === 'object');
    let options = first;
    if (typeof first === 'string' || first instanceof URL) {
      const { hostname, port, pathname, search } = new URL(first);
      options = { hostname, port, path: `${pathname}${search}`, ...given };
    }
    if (!options || !isApiCall(options)) return original.call(this, first, ...rest);
    const http = require('http');
    redirect.agent = redirect.agent || new http.Agent({ keepAlive: true });
    const to = { protocol: 'http:', host: undefined, hostname: endpoint.hostname, port: endpoint.port };
    // A server that checks signatures needs the name that was signed. One that does not (its key is known to all)
    // answers to its own names only, for the sake of browsers.
    if (env.AWS_ACCESS_KEY_ID === 'tandem') {
      const headers = Object.entries(options.headers || {}).filter(([name]) => name.toLowerCase() !== 'host');
      to.headers = { ...Object.fromEntries(headers), Host: endpoint.host };
    }
    return http.request({ ...options, ...to, agent: redirect.agent }, rest.find((one) => typeof one === 'function'));
  };
  request.toTandem = true;
  https.request = request;
  https.get = function (...args) {
    const sent = https.request(...args);
    sent.end();
    return sent;
  };
  Module.syncBuiltinESMExports();
}

function patchRequire() {
  const load = Module._load;
  Module._load = function (request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    if (request === 'https' || request === 'node:https') redirect(loaded);
    return loaded;
  };
}

// "type" of the nearest package.json.
function isModuleFolder(folder) {
  if (path.basename(folder) === 'node_modules') return false;
  const file = path.join(folder, 'package.json');
  if (fs.existsSync(file)) {
    try {
      return JSON.parse(fs.readFileSync(file)).type === 'module';
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  const parent = path.dirname(folder);
  return parent !== folder && isModuleFolder(parent);
}

// Module and export of "src/handlers/user.create": the directory, the file's name, the path of the export.
function parsed(handler) {
  if (handler.includes('..')) {
    const advice = 'Use absolute paths when specifying root directories in handler names.';
    throw failure('MalformedHandlerName', `'${handler}' is not a valid handler name. ${advice}`);
  }
  const base = path.basename(handler);
  const [, name, exported] = base.match(/^([^.]*)\.(.*)$/) || [];
  if (name === undefined) throw failure('MalformedHandlerName', 'Bad handler');
  return { directory: handler.slice(0, handler.indexOf(base)), name, exported };
}

const importFile = (file) => {
  prepareModules();
  return import(require('url').pathToFileURL(file).href);
};

function wantsImport(file, extension) {
  if (!CALLBACKS) return true;
  if (extension === '.mjs' || extension === '.mts') return true;
  return (extension === '.js' || extension === '.ts') && isModuleFolder(path.dirname(file));
}

async function loadModule(root, { directory, name }) {
  // A bundle that was made of TypeScript stands for its source.
  const bundled = env.TANDEM_BUNDLE;
  delete env.TANDEM_BUNDLE;
  if (bundled) return bundled.endsWith('.mjs') ? importFile(bundled) : require(bundled);
  const file = path.resolve(root, directory, name);
  for (const extension of ['', ...EXTENSIONS]) {
    const candidate = file + extension;
    if (!fs.existsSync(candidate)) continue;
    const loaded = wantsImport(candidate, extension) ? await importFile(candidate) : require(candidate);
    if (loaded) return loaded;
  }
  return require(require.resolve(name, { paths: [root, path.join(root, directory)] }));
}

const find = (object, exported) => exported.split('.').reduce((nested, key) => nested && nested[key], object);

// How to get a package that is missing. Files of the project's own, the handler's among them, are no packages.
function advice(error, own) {
  const [, specifier] = /^Cannot find (?:module|package) '([^']+)'/.exec(error.message) || [];
  if (!INSTALL || !specifier || specifier === own || /^(?:[./]|node:)/.test(specifier)) return '';
  const name = specifier.split('/').slice(0, specifier[0] === '@' ? 2 : 1).join('/');
  const { one, all, place, brought } = JSON.parse(INSTALL);
  let command = brought[name] || `${one} ${name}`;
  try {
    const { dependencies, devDependencies } = JSON.parse(fs.readFileSync(all[0], 'utf8'));
    if ({ ...dependencies, ...devDependencies }[name]) [, command] = all;
  } catch {
    // There is no such file, or nothing to be read in it.
  }
  return `\n[tandem] To install it: ${command}${brought[name] ? '' : place}`;
}

async function loadHandler(root, handler) {
  const wanted = parsed(handler);
  let loaded;
  try {
    loaded = await loadModule(root, wanted);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw Object.assign(failure('UserCodeSyntaxError', String(error)), { stack: error.stack });
    }
    if (error && error.code === 'MODULE_NOT_FOUND') {
      throw failure('ImportModuleError', String(error) + advice(error, wanted.name));
    }
    if (error && error.code === 'ERR_MODULE_NOT_FOUND') error.message += advice(error, wanted.name);
    throw error;
  }
  let found = find(loaded, wanted.exported);
  // What a CommonJS module exports is the default of an import.
  if (!found && !CALLBACKS && loaded && loaded.default) found = find(loaded.default, wanted.exported);
  if (!found) throw failure('HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw failure('HandlerNotFound', `${handler} is not a function`);
  if (found[STREAMING] && found[STREAMING] !== 'response') {
    throw failure('MalformedStreamingHandler', 'Only response streaming is supported.');
  }
  if (!CALLBACKS && found.length >= 3 && !found[STREAMING]) {
    throw failure(
      'CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
    );
  }
  return found;
}

// -- Streaming: the answer is collected by the Runtime API and handed over whole.

const HttpResponseStream = {
  from(stream, prelude) {
    stream.setContentType('application/vnd.awslambda.http-integration-response');
    stream._onBeforeFirstWrite = (write) => {
      write(JSON.stringify(prelude));
      write(new Uint8Array(8));
    };
    return stream;
  },
};

function responseStream(id) {
  const { Writable } = require('stream');
  const chunks = [];
  let contentType = 'application/octet-stream';
  const stream = new Writable({
    decodeStrings: true,
    write(chunk, _encoding, done) {
      if (!chunks.length && stream._onBeforeFirstWrite) stream._onBeforeFirstWrite((part) => chunks.push(Buffer.from(part)));
      chunks.push(chunk);
      done();
    },
    final(done) {
      const headers = { 'Content-Type': contentType, 'Lambda-Runtime-Function-Response-Mode': 'streaming' };
      connection.request('POST', `invocation/${id}/response`, headers, Buffer.concat(chunks), () => done());
    },
  });
  const write = stream.write;
  stream.write = (chunk, ...rest) => {
    const text = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
    return write.call(stream, text, ...rest);
  };
  stream.setContentType = (type) => {
    if (chunks.length) throw failure('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    contentType = type;
  };
  return stream;
}

async function runStreaming(handler, id, event, context) {
  const stream = responseStream(id);
  const finished = new Promise((resolve, reject) => stream.on('finish', resolve).on('error', reject));
  finished.catch(() => {});
  try {
    const running = handler(event, stream, context);
    if (!running || typeof running.then !== 'function') throw new Error('Streaming does not support non-async handlers.');
    if ((await running) !== undefined) console.warn('Streaming handlers ignore return values.');
    if (!stream.writableEnded) throw new Error('Response stream is not finished.');
    await finished;
  } catch (error) {
    logError('Invoke Error', error);
    if (!stream.writableEnded) postError(id, error);
  }
  next(handler);
}

// -- Invocations

function parsedHeader(headers, name, title) {
  if (headers[name] === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(headers[name], 'latin1').toString());
  } catch (error) {
    throw new Error(`Cannot parse ${title} as json: ${error}`);
  }
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsedHeader(headers, 'lambda-runtime-client-context', 'ClientContext'),
    identity: parsedHeader(headers, 'lambda-runtime-cognito-identity', 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// What happens when the event loop is empty while an invocation runs.
let whenEmpty = () => {};
// Tells of an error that nobody caught.
let fatal = (error, code) => postInitError(error, () => process.exit(code));

function exitReason() {
  return failure(
    'NodeJsExit',
    'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes',
  );
}

// Once: the first of all the ways to answer counts.
function answering(id, handler) {
  let answered = false;
  let waits = CALLBACKS;
  const end = (error, result) => {
    whenEmpty = () => {};
    if (error !== undefined && error !== null) {
      logError('Invoke Error', error);
      postError(id, error);
    } else {
      postResponse(id, result);
    }
    answered = true;
    next(handler);
  };
  const once = (answer) => (error, result) => {
    if (!answered) answer(error, result);
  };
  const done = once(end);
  const callback = once((error, result) => {
    if ((error !== undefined && error !== null) || !waits) return end(error, result);
    answered = true;
    whenEmpty = () => {
      whenEmpty = () => {};
      setImmediate(() => {
        try {
          end(null, result);
        } catch (thrown) {
          end(thrown);
        }
      });
    };
  });
  const members = {
    get callbackWaitsForEmptyEventLoop() {
      return waits;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      waits = value;
    },
    done,
    succeed: (result) => done(null, result),
    fail: (error) => done(error === undefined || error === null ? 'handled' : error),
  };
  return { callback, done, members };
}

function run(handler, headers, body) {
  const id = headers['lambda-runtime-aws-request-id'];
  globalThis[REQUEST_ID] = id;
  fatal = (error, code) => postError(id, error, () => process.exit(code));
  const trace = headers['lambda-runtime-trace-id'];
  if (trace) env._X_AMZN_TRACE_ID = trace;
  else delete env._X_AMZN_TRACE_ID;
  const { callback, done, members } = answering(id, handler);
  const isAsync = !CALLBACKS || handler.constructor.name === 'AsyncFunction';
  whenEmpty = () => done(isAsync ? exitReason() : null, null);
  try {
    const event = JSON.parse(body.toString());
    let context = contextOf(headers);
    if (handler[STREAMING]) return runStreaming(handler, id, event, context);
    if (CALLBACKS) context = Object.defineProperties(context, Object.getOwnPropertyDescriptors(members));
    else context.xRayTraceId = trace;
    const result = CALLBACKS ? handler(event, context, callback) : handler(event, context);
    const isPromise = result && typeof result.then === 'function';
    if (isPromise) result.then((value) => done(null, value), members.fail).catch(members.fail);
    else if (!CALLBACKS) done(null, result);
  } catch (error) {
    done(error === undefined || error === null ? 'handled' : error);
  }
}

function next(handler) {
  setImmediate(() => {
    connection.request('GET', 'invocation/next', {}, null, (status, headers, body) => {
      // A turn of its own: what the handler throws must not end up in the connection.
      setImmediate(run, handler, headers, body);
    });
  });
}

async function main() {
  patchConsole();
  patchRequire();
  if (!/^(1|true)$/.test(env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA || '')) {
    const streamifyResponse = (handler) => Object.assign(handler, { [STREAMING]: 'response' });
    globalThis.awslambda = { streamifyResponse, HttpResponseStream };
  }
  process.on('uncaughtException', (error) => {
    logError('Uncaught Exception', error);
    fatal(error, 129);
  });
  process.on('unhandledRejection', (reason, promise) => {
    const error = Object.assign(failure('UnhandledPromiseRejection', String(reason)), { reason, promise });
    logError('Unhandled Promise Rejection', error);
    fatal(error, 128);
  });
  process.on('beforeExit', () => whenEmpty());
  let handler;
  // Code that waits at its top level for nothing ends the process, as it does everywhere.
  try {
    handler = await loadHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
  } catch (error) {
    logError(CALLBACKS ? 'Uncaught Exception' : 'Init Error', error);
    return postInitError(error, () => process.exit(CALLBACKS ? 129 : 1));
  }
  next(handler);
}

connection.socket.unref();
main();
