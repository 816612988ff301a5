// Stands in for the native module that VS Code writes its log files with, which is
// compiled nowhere here: the channel of an extension's log is such a file, read again.
const fs = require("node:fs");
const path = require("node:path");

const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"];

class Logger {
  constructor(_type, _name, file) {
    this.file = file;
    this.level = 2;
    this.plain = false;
    for (const [level, name] of LEVELS.entries()) {
      this[name === "warning" ? "warn" : name] = (text) => this.write(level, text);
    }
  }

  write(level, text) {
    if (level >= this.level) {
      const time = new Date().toISOString().replace("T", " ").slice(0, 23);
      const line = this.plain ? text : `${time} [${LEVELS[level]}] ${text}\n`;
      fs.appendFileSync(this.file, line);
    }
  }

  getLevel() {
    return this.level;
  }

  setLevel(level) {
    this.level = level;
  }

  clearFormatters() {
    this.plain = true;
  }

  setPattern() {}
  flush() {}
  drop() {}
}

async function createLogger(name, file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return new Logger("file", name, file);
}

exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = createLogger;
exports.createAsyncRotatingLogger = createLogger;
