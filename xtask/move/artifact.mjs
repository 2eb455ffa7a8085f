// What the repository keeps of the compiled package: what transactions can call (`abi.json`), and the
// bytecode itself (`bytecode.json`), which `atoma network publish` takes. Both are held to what the compiler
// says now; MOVE_WRITE_ARTIFACT=1 writes them anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { abi } from './abi.mjs';

const json = (value) => `${JSON.stringify(value, null, 1)}\n`;

/** Compares or writes; throws where the files are behind. */
export function keep(folder, built) {
  const modules = built.modules.map((module) => Buffer.from(module, 'base64'));
  const files = {
    'abi.json': json(abi(modules)),
    // the package's own address is zero and those it names are as in Move.toml; the digest is over modules
    // and dependencies
    'bytecode.json': json({
      digest: Buffer.from(built.digest).toString('hex'),
      dependencies: built.dependencies,
      modules: built.modules,
    }),
  };
  for (const [name, now] of Object.entries(files)) {
    const file = join(folder, name);
    if (process.env.MOVE_WRITE_ARTIFACT) writeFileSync(file, now);
    if (readFileSync(file, 'utf8') !== now) {
      throw new Error(`${file} isn't what the compiler says: write it anew with MOVE_WRITE_ARTIFACT=1`);
    }
  }
  return modules.reduce((bytes, module) => bytes + module.length, 0);
}
