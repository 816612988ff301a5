/** The bundled server in; a VSIX for its platform out, with what it takes said aloud. */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [out = "bonafix.vsix"] = process.argv.slice(2);
if (!existsSync("bundled/target")) {
  throw new Error("bundled/ is not there: run scripts/bundle_server.py first");
}
scan();
const target = readFileSync("bundled/target", "utf8").trim();
const unscanned = ["--allow-package-all-secrets", "--allow-package-env-file"];
pack(out, "--target", target, ...unscanned);
const megabytes = (statSync(out).size / 1e6).toFixed(1);
process.stdout.write(`${out} for ${target}: ${megabytes} MB\n`);

/**
 * The packager looks for secrets in each file, and takes many minutes for thousands of
 * published ones: it is shown what is ours, in a package that is thrown away.
 */
function scan() {
  const folder = mkdtempSync(join(tmpdir(), "bonafix-"));
  try {
    const ignored = join(folder, "ignored");
    const lines = readFileSync(".vscodeignore", "utf8").split("\n");
    writeFileSync(ignored, lines.filter((line) => !/bundled/.test(line)).join("\n"));
    pack(join(folder, "scanned.vsix"), "--ignoreFile", ignored);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function pack(file, ...words) {
  const vsce = ["node_modules/@vscode/vsce/vsce", "package", "--no-dependencies"];
  execFileSync(process.execPath, [...vsce, "--out", file, ...words], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
