/**
 * The runtime inside a worker thread: what Lambda's Node.js runtime does around a handler. Plain JavaScript, so that a
 * worker starts without any loader. Errors are named as the runtime interface client names them:
 * https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
 */
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const path = require('node:path');

const { spec, sharedClock } = workerData;

/** Sleeps that have not ended, by id. */
const sleeping = new Map();
let sleeps = 0;

installClock(sharedClock);
installSleep();
captureOutput(process.stdout);
captureOutput(process.stderr);

let current;
let handler;

parentPort.on('message', (message) => {
  if (message.kind === 'invoke') return invoke(message.invocation);
  sleeping.get(message.id)();
  sleeping.delete(message.id);
});

async function invoke(invocation) {
  current = invocation;
  try {
    handler ??= load(spec.directory, spec.handler);
  } catch (error) {
    return finish({ ok: false, error: describe(error), fatal: true });
  }
  try {
    const result = await call(handler, JSON.parse(invocation.payload), contextOf(invocation));
    finish({ ok: true, payload: stringify(result) });
  } catch (error) {
    finish({ ok: false, error: describe(error), fatal: false });
  }
}

process.on('uncaughtException', (error) => finish({ ok: false, error: describe(error), fatal: true }));
process.on('unhandledRejection', (reason) => {
  const { errorMessage, errorType, trace } = describe(reason);
  const error = {
    errorType: 'Runtime.UnhandledPromiseRejection',
    errorMessage: `${errorType}: ${errorMessage}`,
    trace,
  };
  finish({ ok: false, error, fatal: true });
});

function finish(result) {
  if (!current) return;
  const { requestId } = current;
  current = undefined;
  parentPort.postMessage({ kind: 'result', requestId, result });
}

function load(directory, name) {
  const match = /^(?<file>.+)\.(?<member>[^./]+)$/.exec(name);
  if (!match) throw named('Runtime.MalformedHandlerName', 'Bad handler');
  const { file, member } = match.groups;
  let loaded;
  try {
    loaded = require(path.join(directory, file));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw named('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error);
    if (error?.code === 'MODULE_NOT_FOUND') throw named('Runtime.ImportModuleError', `Error: ${error.message}`, error);
    throw error;
  }
  if (loaded[member] === undefined) throw named('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof loaded[member] !== 'function') throw named('Runtime.HandlerNotFound', `${name} is not a function`);
  return loaded[member];
}

function named(name, message, cause) {
  const error = new Error(message);
  error.name = name;
  if (cause?.stack) error.stack = cause.stack;
  return error;
}

function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    const returned = handler(event, context, (error, result) => (error ? reject(error) : resolve(result)));
    // A handler that takes a callback answers through it and returns nothing of interest.
    if (typeof returned?.then === 'function') returned.then(resolve, reject);
    else if (handler.length < 3) resolve(returned);
  });
}

function stringify(result) {
  try {
    return JSON.stringify(result) ?? 'null';
  } catch {
    throw named('Runtime.MarshalError', 'Unable to stringify response body');
  }
}

function describe(error) {
  if (typeof error !== 'object' || error === null) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return {
    errorType: String(error.name ?? 'Error'),
    errorMessage: String(error.message ?? ''),
    trace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
  };
}

function contextOf({ requestId, deadline }) {
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: spec.functionName,
    functionVersion: '$LATEST',
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    invokedFunctionArn: spec.functionArn,
    logGroupName: spec.logGroup,
    logStreamName: spec.logStream,
    memoryLimitInMB: String(spec.memorySize),
  };
}

/** Lines go through the same channel as results, so that none arrives after the invocation it belongs to. */
function captureOutput(stream) {
  let rest = '';
  stream.write = (chunk, encoding, done) => {
    const lines = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))).split('\n');
    rest = lines.pop();
    for (const line of lines) parentPort.postMessage({ kind: 'log', line });
    const callback = typeof encoding === 'function' ? encoding : done;
    callback?.();
    return true;
  };
}

/** The world's time instead of the machine's: see `Clock.shared`. */
function installClock(shared) {
  const cell = new Float64Array(shared, 0, 3);
  const sequence = new Int32Array(shared, 3 * Float64Array.BYTES_PER_ELEMENT, 1);
  const RealDate = Date;
  const realNow = RealDate.now;
  const now = () => {
    for (;;) {
      const before = Atomics.load(sequence, 0);
      const time = cell[0] + (realNow() - cell[1]) * cell[2];
      if (before % 2 === 0 && Atomics.load(sequence, 0) === before) return Math.floor(time);
    }
  };
  function AwsDate(...given) {
    if (!new.target) return new RealDate(now()).toString();
    return Reflect.construct(RealDate, given.length > 0 ? given : [now()], new.target);
  }
  AwsDate.prototype = RealDate.prototype;
  AwsDate.prototype.constructor = AwsDate;
  AwsDate.now = now;
  AwsDate.parse = RealDate.parse;
  AwsDate.UTC = RealDate.UTC;
  Object.defineProperty(AwsDate, 'name', { value: 'Date' });
  globalThis.Date = AwsDate;
}

/** A function that sleeps waits for the world's time, and computes nothing meanwhile: the host wakes it. */
function installSleep() {
  const timers = require('node:timers/promises');
  timers.setTimeout = (milliseconds = 1, value) =>
    new Promise((resolve) => {
      const id = ++sleeps;
      sleeping.set(id, () => resolve(value));
      parentPort.postMessage({ kind: 'sleep', id, milliseconds });
    });
}
