// One server process for the scenarios: started, killed, started again on the same port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { connect } from "@nats-io/transport-node";

const LISTENING = /Listening for client connections on 127\.0\.0\.1:(\d+)/;

export class Server {
  constructor(program, flags) {
    this.program = program;
    this.flags = flags;
    this.port = -1;
  }

  async start() {
    const args = ["-a", "127.0.0.1", ...this.flags, "-p", String(this.port)];
    this.process = spawn(this.program, args, { stdio: ["ignore", "ignore", "pipe"] });
    const lines = createInterface({ input: this.process.stderr });
    this.port = await new Promise((resolve, reject) => {
      let port;
      lines.on("line", (line) => {
        port = LISTENING.exec(line)?.[1] ?? port;
        if (line.includes("Server is ready")) resolve(Number(port));
      });
      this.process.once("error", reject);
      this.process.once("exit", () => reject(new Error("the server ended before it was ready")));
    });
  }

  get isRunning() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async kill() {
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }

  connect(options = {}) {
    const fixed = { servers: `127.0.0.1:${this.port}`, maxReconnectAttempts: -1, reconnectTimeWait: 50 };
    return connect({ ...fixed, ...options });
  }
}
