// The runtime of a Lambda function in JavaScript; see bootstrap.py, whose files these are.
import { readFileSync, renameSync, writeFileSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const invocation = JSON.parse(readFileSync(join(folder, "invocation.json"), "utf-8"));

class Failed extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

async function handler() {
  const dot = invocation.Handler.lastIndexOf(".");
  if (dot < 0) throw new Failed("Runtime.MalformedHandlerName", "Bad handler");
  const [module, name] = [invocation.Handler.slice(0, dot), invocation.Handler.slice(dot + 1)];
  const path = resolve(invocation.TaskRoot, module);
  const file = [".js", ".mjs", ".cjs"].map((end) => path + end).find(existsSync);
  if (!file) throw new Failed("Runtime.ImportModuleError", `Error: Cannot find module '${module}'`);
  const loaded = await import(pathToFileURL(file).href);
  const found = loaded[name] ?? loaded.default?.[name];
  if (typeof found !== "function") {
    const message = `${invocation.Handler} is undefined or not exported`;
    throw new Failed("Runtime.HandlerNotFound", message);
  }
  return found;
}

function called(found, deadline) {
  const context = {
    awsRequestId: invocation.RequestId,
    functionName: invocation.FunctionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: invocation.FunctionArn,
    memoryLimitInMB: String(invocation.MemorySize),
    logGroupName: invocation.LogGroup,
    logStreamName: invocation.LogStream,
    clientContext: invocation.ClientContext,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  return new Promise((done, refused) => {
    const callback = (error, value) => (error ? refused(error) : done(value));
    const value = found(invocation.Event, context, callback);
    if (value && typeof value.then === "function") value.then(done, refused);
    else if (found.length < 3) done(value);
  });
}

function told(error) {
  return {
    errorType: error?.kind ?? error?.name ?? "Error",
    errorMessage: error?.message ?? String(error),
    trace: error?.kind ? [] : String(error?.stack ?? "").split("\n"),
  };
}

let result;
try {
  const found = await handler();
  const limit = invocation.Timeout * 1000;
  setTimeout(() => process.kill(process.pid, "SIGALRM"), limit).unref();
  const value = await called(found, Date.now() + limit);
  result = { Payload: value === undefined ? "null" : JSON.stringify(value) };
} catch (error) {
  result = { Error: told(error) };
  console.error(error);
}
const aside = join(folder, "result.json.new");
writeFileSync(aside, JSON.stringify(result));
renameSync(aside, join(folder, "result.json"));
process.exit(0);
