// Evaluates a JavaScript or TypeScript file of a stack and prints what it exports as JSON, behind a mark. What it is
// told comes as JSON in its only argument: {file, address, options, answers, mark}. What the file itself prints goes to
// standard error.
"use strict";

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { spawnSync } = require("node:child_process");

const asked = JSON.parse(process.argv[1]);
console.log = console.info = console.error;

class Needs extends Error {}

const isTypeScript = (file) => /\.[cm]?ts$/.test(file);

const answer = async (name) => {
  if (name in asked.answers) return asked.answers[name];
  throw new Needs(name);
};

const context = {
  options: asked.options,
  resolveVariable: (name) => answer(name),
  resolveConfigurationProperty: (names) => answer(`self:${names.join(".")}`),
};

const read = new Set();

// The project's own esbuild makes one script of the file and what it imports: it knows the paths of tsconfig.json, and
// imports without an extension, which Node.js does not. Each file keeps its own __dirname, by which people find handlers.
async function bundled(file, esbuild) {
  const own = {
    name: "own-dirname",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]s$/ }, async (args) => {
        if (args.path.includes("/node_modules/")) return undefined;
        read.add(args.path);
        const text = await fs.promises.readFile(args.path, "utf8");
        const names = `var __dirname = ${JSON.stringify(path.dirname(args.path))}, __filename = ${JSON.stringify(args.path)};`;
        const loader = isTypeScript(args.path) ? "ts" : "js";
        return { contents: `${names}${text}`, loader, resolveDir: path.dirname(args.path) };
      });
    },
  };
  const built = await esbuild.build({
    absWorkingDir: path.dirname(file),
    bundle: true,
    entryPoints: [file],
    format: "cjs",
    logLevel: "silent",
    packages: "external",
    platform: "node",
    plugins: [own],
    write: false,
  });
  const script = new Module(file);
  script.filename = file;
  script.paths = Module._nodeModulePaths(path.dirname(file));
  script._compile(built.outputFiles[0].text, file);
  return script.exports;
}

function esbuildOf(file) {
  try {
    return Module.createRequire(file)("esbuild");
  } catch {
    return undefined;
  }
}

async function load(file) {
  read.add(file);
  if (isTypeScript(file)) {
    const esbuild = esbuildOf(file);
    if (esbuild) return bundled(file, esbuild);
    if (!process.features.typescript) {
      throw new Error(
        `Node.js ${process.version} does not run TypeScript: install Node.js 22.18 or newer, or esbuild in the project`,
      );
    }
  }
  const imported = await import(pathToFileURL(file).href);
  return "default" in imported ? imported.default : imported;
}

const called = async (value) => (typeof value === "function" ? value(context) : value);

async function main() {
  const exported = await load(asked.file);
  let value = await (exported && exported.__esModule && "default" in exported ? exported.default : exported);
  value = await called(value);
  for (const name of asked.address ? asked.address.split(".") : []) {
    if (value === undefined || value === null) break;
    value = await called(value[name]);
  }
  return JSON.stringify((await value) ?? null) ?? "null";
}

function print(message) {
  for (const file of Object.keys(require.cache)) {
    if (!file.includes("/node_modules/")) read.add(file);
  }
  fs.writeSync(1, `\n${asked.mark}${JSON.stringify({ ...message, files: [...read] })}\n`);
  process.exit(0);
}

const [major, minor] = process.versions.node.split(".").map(Number);
const strips = major > 22 || (major === 22 && minor >= 6);
if (isTypeScript(asked.file) && !esbuildOf(asked.file) && !process.features.typescript && strips) {
  // This Node.js takes types out if it is told to.
  const flags = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
  const again = spawnSync(process.execPath, [...flags, "-e", process.env.TANDEM_EVALUATE, process.argv[1]], { stdio: "inherit" });
  process.exit(again.status ?? 1);
}
main().then(
  (json) => print({ json }),
  (error) => (error instanceof Needs ? print({ needs: error.message }) : print({ error: String(error?.message ?? error) })),
);
