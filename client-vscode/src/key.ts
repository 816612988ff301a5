/** The user's key for Claude: the editor's secret store in, the server's environment out. */

import { type SecretStorage, window } from "vscode";

const NAME = "anthropic-api-key";
export const VARIABLE = "ANTHROPIC_API_KEY";

/** Never in settings, arguments or logs: what is stored goes by the environment only. */
export async function keyEnvironment(
  secrets: SecretStorage,
): Promise<Record<string, string>> {
  const key = await secrets.get(NAME);
  return key ? { [VARIABLE]: key } : {};
}

/** Asks for the key and keeps it; whether there is a new one. */
export async function askForKey(secrets: SecretStorage): Promise<boolean> {
  const key = await window.showInputBox({
    title: "Anthropic API key",
    prompt: "Kept in the editor's secret store, and handed to the server alone.",
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (/\s/.test(text.trim()) ? "A key has no spaces." : ""),
  });
  if (!key?.trim()) {
    return false;
  }
  await secrets.store(NAME, key.trim());
  return true;
}

export async function forgetKey(secrets: SecretStorage): Promise<void> {
  await secrets.delete(NAME);
}
