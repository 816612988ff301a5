// Stands in for Microsoft's Python Environments extension in tests: the part of its
// documented interface that names a folder's environment, and a command that sets it.
const vscode = require("vscode");

exports.activate = (context) => {
  const changed = new vscode.EventEmitter();
  let path = vscode.workspace.getConfiguration("python-envs").get("chosen");
  const environment = () => ({
    envId: { id: path, managerId: "ms-python.python:venv" },
    name: path,
    displayName: path,
    displayPath: path,
    version: "3",
    environmentPath: vscode.Uri.file(path),
    execInfo: { run: { executable: path } },
    sysPrefix: "",
  });
  context.subscriptions.push(
    vscode.commands.registerCommand("python-envs.set", async () => {
      const old = environment();
      const prompt = "The path of an interpreter";
      path = (await vscode.window.showInputBox({ prompt })) ?? path;
      changed.fire({ uri: undefined, old, new: environment() });
    }),
  );
  return {
    getEnvironment: async (_scope) => (path ? environment() : undefined),
    onDidChangeEnvironment: changed.event,
  };
};
