import assert from "node:assert/strict";
import { test } from "node:test";
import { actionCommands } from "../src/commands.ts";

/** A registry like the editor's: ids are unique while they are registered. */
function editor(limit?: number) {
  const registered = new Map<string, () => Promise<void>>();
  const ran: unknown[] = [];
  const actions = actionCommands(
    {
      register(id, run) {
        assert.ok(!registered.has(id), `${id} is registered twice`);
        registered.set(id, run);
        return { dispose: () => registered.delete(id) };
      },
      async run(command, args) {
        ran.push([command, args]);
      },
    },
    limit,
  );
  return { registered, ran, actions };
}

function fix(test: string) {
  const command = { title: "Fix", command: "bonafix.fix", arguments: [{ test }] };
  return { title: "Fix", kind: "quickfix", command };
}

test("an action's command loses its arguments and still runs with them", async () => {
  const { actions, registered, ran } = editor();
  const { command } = actions.own(fix("t.py::a"));
  assert.deepEqual(command.arguments, []);
  await registered.get(command.command)?.();
  assert.deepEqual(ran, [["bonafix.fix", [{ test: "t.py::a" }]]]);
});

test("a bare command is replaced like an action's", async () => {
  const { actions, registered, ran } = editor();
  const command = actions.own({ title: "Doctor", command: "bonafix.doctor" });
  await registered.get(command.command)?.();
  assert.deepEqual(ran, [["bonafix.doctor", []]]);
});

test("the action stays the object that it was, with all else kept", () => {
  const { actions } = editor();
  const action = fix("t.py::a");
  assert.equal(actions.own(action), action);
  assert.equal(action.kind, "quickfix");
  assert.equal(action.command.title, "Fix");
});

test("equal commands share one id, different ones do not", () => {
  const { actions, registered } = editor();
  const ids = ["a", "b", "a"].map((name) => actions.own(fix(name)).command.command);
  assert.equal(ids[0], ids[2]);
  assert.notEqual(ids[0], ids[1]);
  assert.equal(registered.size, 2);
});

test("actions of others and actions without a command are left alone", () => {
  const { actions, registered } = editor();
  const foreign = { title: "x", command: { title: "x", command: "editor.action.x" } };
  assert.equal(actions.own(foreign).command.command, "editor.action.x");
  assert.deepEqual(actions.own({ title: "edit only" }), { title: "edit only" });
  assert.equal(registered.size, 0);
});

test("beyond the limit the longest unused is taken back, and its id never used", () => {
  const { actions, registered } = editor(2);
  const first = actions.own(fix("a")).command.command;
  const second = actions.own(fix("b")).command.command;
  actions.own(fix("a")); // used again, so "b" is now the longest unused
  actions.own(fix("c"));
  assert.ok(registered.has(first));
  assert.ok(!registered.has(second));
  assert.notEqual(actions.own(fix("b")).command.command, second);
});

test("on disposal every registration is taken back", () => {
  const { actions, registered } = editor();
  actions.own(fix("a"));
  actions.dispose();
  assert.equal(registered.size, 0);
});
