// Runs builds and tests in as many threads as there are cores.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { framework } from './sources.mjs';

/** A compiler takes up to a gigabyte. */
const MOST = 4;

export class Pool {
  #idle = [];
  #busy = new Map();
  #waiting = [];

  constructor() {
    const workerData = { framework: framework() };
    for (let i = 0; i < Math.min(MOST, availableParallelism()); i++) {
      const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData });
      worker.on('message', (answer) => this.#done(worker, ({ resolve }) => resolve(answer)));
      worker.on('error', (error) => this.#done(worker, ({ reject }) => reject(error)));
      this.#idle.push(worker);
    }
  }

  /** Builds a package for publishing; lints are on. */
  build(files) {
    return this.#job({ kind: 'build', files });
  }

  /** Runs all tests of these files; says how many passed, and which failed. */
  async test(files) {
    const result = await this.#job({ kind: 'test', files });
    if (result.error) throw new Error(result.error);
    const { output } = result;
    const total = /Total tests: (\d+); passed: (\d+); failed: (\d+)/.exec(output);
    const failed = [...output.matchAll(/^\[ FAIL\s*\]\s+\w+::(\w+::\w+)/gm)].map((m) => m[1]);
    if (!total || Number(total[3]) !== failed.length || result.passed !== (failed.length === 0)) {
      throw new Error(output);
    }
    return { passed: Number(total[2]), failed, output };
  }

  async end() {
    await Promise.all(this.#idle.map((worker) => worker.terminate()));
  }

  #job(job) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  #next() {
    if (!this.#idle.length || !this.#waiting.length) return;
    const worker = this.#idle.pop();
    const { job, ...answer } = this.#waiting.shift();
    this.#busy.set(worker, answer);
    worker.postMessage(job);
  }

  #done(worker, settle) {
    settle(this.#busy.get(worker));
    this.#busy.delete(worker);
    this.#idle.push(worker);
    this.#next();
  }
}
