import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenCommand, expand, serverSettings } from "../src/settings.ts";

const around = {
  folder: "/project",
  home: "/home/me",
  env: { TOOLS: "/opt/tools" },
};

/** Settings as an editor would hold them, of the user's or of a workspace's making. */
function reader(
  user: Record<string, unknown>,
  workspace: Record<string, unknown> = {},
  folder: Record<string, unknown> = {},
) {
  return { chosen: (key: string) => [user[key], workspace[key], folder[key]] };
}

test("what nobody chose is not sent as if it were a choice", () => {
  const settings = serverSettings(reader({}), true, around);
  assert.deepEqual(settings, { trust: true });
});

test("the nearest choice is sent", () => {
  const near = reader({ run: "manual" }, { run: "on-open" }, { run: "on-save" });
  assert.equal(serverSettings(near, true, around).run, "on-save");
});

for (const [user, workspace, sent] of [
  ["search", "claude", "search"],
  [undefined, "claude", undefined],
  ["claude", "auto", "claude"],
  ["claude", "search", "search"],
  [undefined, "search", "search"],
] as const) {
  test(`the engine of a user, ${user}, and a workspace, ${workspace}: ${sent}`, () => {
    const both = reader({ engine: user }, { engine: workspace });
    assert.equal(serverSettings(both, true, around).engine, sent);
  });
}

test("a workspace cannot take away what a user keeps from being sent", () => {
  const both = reader({ exclude: ["secret/*"] }, { exclude: [] }, { exclude: ["a"] });
  assert.deepEqual(serverSettings(both, true, around).exclude, ["secret/*", "a"]);
});

test("a choice is sent under the server's own name", () => {
  const values = { maxCost: 2.5, logLevel: "debug", run: "manual", thinking: "8000" };
  assert.deepEqual(serverSettings(reader(values), true, around), {
    trust: true,
    run: "manual",
    thinking: "8000",
    max_cost: 2.5,
    log_level: "debug",
  });
});

test("a choice that equals the default is still sent", () => {
  const settings = serverSettings(reader({ engine: "auto" }), true, around);
  assert.equal(settings.engine, "auto");
});

test("the Python chosen in the editor is sent, unless our own setting names one", () => {
  const chosen = serverSettings(reader({}), true, around, "/env/bin/python");
  assert.equal(chosen.interpreter, "/env/bin/python");
  const values = { interpreter: "/mine/python" };
  const own = serverSettings(reader(values), true, around, "/env/bin/python");
  assert.equal(own.interpreter, "/mine/python");
});

test("an untrusted workspace is said to be so", () => {
  assert.deepEqual(serverSettings(reader({}), false, around), { trust: false });
});

test("how the server is started and traced stays in the editor", () => {
  const values = { path: ["elsewhere"], "trace.server": "verbose" };
  assert.deepEqual(serverSettings(reader(values), true, around), { trust: true });
});

for (const [written, sent] of [
  ["", ""],
  ["python3.13", "python3.13"],
  ["/usr/bin/python3", "/usr/bin/python3"],
  [".venv/bin/python", "/project/.venv/bin/python"],
  ["${workspaceFolder}/.venv/bin/python", "/project/.venv/bin/python"],
  ["~/.venvs/a/bin/python", "/home/me/.venvs/a/bin/python"],
] as const) {
  test(`the interpreter ${JSON.stringify(written)} is sent as ${sent}`, () => {
    const settings = serverSettings(reader({ interpreter: written }), true, around);
    assert.equal(settings.interpreter, sent);
  });
}

test("a relative interpreter without a folder is left for the server to refuse", () => {
  const homeless = { env: {}, home: "/home/me" };
  const settings = serverSettings(reader({ interpreter: "a/python" }), true, homeless);
  assert.equal(settings.interpreter, "a/python");
});

for (const [written, expanded] of [
  ["${env:TOOLS}/bonafix", "/opt/tools/bonafix"],
  ["${env:NOT_SET}/bonafix", "/bonafix"],
  ["${userHome}/bonafix", "/home/me/bonafix"],
  ["~", "/home/me"],
  ["a~b", "a~b"],
  ["~other/bin", "~other/bin"],
  ["${unknown}", "${unknown}"],
] as const) {
  test(`${written} stands for ${expanded}`, () => {
    assert.equal(expand(written, around), expanded);
  });
}

test("a home with a dollar sign in it is taken literally", () => {
  assert.equal(expand("~/x", { ...around, home: "/home/$&" }), "/home/$&/x");
});

for (const [written, command] of [
  [
    ["uvx", "bonafix"],
    ["uvx", "bonafix"],
  ],
  [
    ["${env:TOOLS}/python", "-X", "dev"],
    ["/opt/tools/python", "-X", "dev"],
  ],
  ["~/bin/bonafix", ["/home/me/bin/bonafix"]], // a string will do where it stands alone
  [[], undefined],
  ["", undefined],
] as const) {
  test(`the command ${JSON.stringify(written)} is ${command?.join(" ")}`, () => {
    assert.deepEqual(chosenCommand("path", written, around), command);
  });
}

for (const wrong of [[""], ["bonafix", 3], 7, null, undefined]) {
  test(`the command ${JSON.stringify(wrong)} is refused by the setting's name`, () => {
    assert.throws(
      () => chosenCommand("serverInterpreter", wrong, around),
      /bonafix\.serverInterpreter/,
    );
  });
}
