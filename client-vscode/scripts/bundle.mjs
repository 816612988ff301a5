/** src/ in; dist/extension.cjs, the licences of all that went into it, and help out. */

import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const { metafile } = await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.cjs",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20", // what the oldest supported editor runs on
  external: ["vscode"],
  minify: true,
  metafile: true,
  logLevel: "warning",
});

const folders = Object.keys(metafile.inputs).flatMap(
  (input) => input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? [],
);
const notices = [...new Set(folders)].sort().map(notice);
writeFileSync("dist/THIRD-PARTY-NOTICES.txt", notices.join("\n"));

// The extension shows it; the packager renames the one beside package.json.
copyFileSync("README.md", "dist/README.md");

/** A package without a licence text stops the build: it could not be passed on. */
function notice(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json")));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) {
    throw new Error(`${name} has no licence file`);
  }
  const text = readFileSync(join(folder, file), "utf8").trim();
  return `${name} ${version}\n\n${text}\n\n${"-".repeat(72)}\n`;
}
