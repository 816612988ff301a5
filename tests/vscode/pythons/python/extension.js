// Stands in for Microsoft's Python extension in tests: the part of its documented
// interface that names an interpreter, a command that chooses another one, and a tree
// of tests where its setting asks for one.
const vscode = require("vscode");

exports.activate = (context) => {
  const settings = vscode.workspace.getConfiguration("python");
  const changed = new vscode.EventEmitter();
  let path = settings.get("defaultInterpreterPath");
  context.subscriptions.push(
    vscode.commands.registerCommand("python.setInterpreter", async () => {
      const prompt = "The path of an interpreter";
      path = (await vscode.window.showInputBox({ prompt })) ?? path;
      changed.fire({ id: path, path, resource: undefined });
    }),
    ...shownTests(),
  );
  return {
    ready: Promise.resolve(),
    environments: {
      known: [],
      getActiveEnvironmentPath: () => ({ id: path, path }),
      onDidChangeActiveEnvironmentPath: changed.event,
      async resolveEnvironment(environment) {
        const at = typeof environment === "string" ? environment : environment.path;
        const uri = vscode.Uri.file(at);
        const executable = { uri, bitness: "64-bit", sysPrefix: "" };
        const more = { environment: undefined, version: undefined, tools: ["Venv"] };
        return { id: at, path: at, executable, ...more };
      },
    },
  };
};

/** A tree of its own while `python.testing.pytestEnabled` is on, as the real one has. */
function shownTests() {
  let controller;
  const show = () => {
    const testing = vscode.workspace.getConfiguration("python.testing");
    if (!testing.get("pytestEnabled")) {
      controller?.dispose();
      controller = undefined;
    } else if (!controller) {
      controller = vscode.tests.createTestController("python-tests", "Python Tests");
      controller.items.add(controller.createTestItem("theirs", "test_of_theirs"));
    }
  };
  show();
  return [vscode.workspace.onDidChangeConfiguration(show)];
}
