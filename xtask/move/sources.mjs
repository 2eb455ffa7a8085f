// Where the Move compiler gets its sources: packages of this repository, and Sui's framework out of
// the crate that carries it.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, '../..');

/** Everything of a folder that the compiler reads, by path. */
export function snapshot(folder) {
  const files = {};
  const walk = (at) => {
    for (const name of readdirSync(at)) {
      const path = join(at, name);
      if (statSync(path).isDirectory()) {
        if (name !== 'build') walk(path);
      } else if (/\.move$|^Move\.toml$/.test(name)) {
        files[relative(folder, path)] = readFileSync(path, 'utf8');
      }
    }
  };
  walk(folder);
  return files;
}

/** The folder of the framework's sources, which cargo has fetched. */
export function framework() {
  const manifest = join(here, 'framework/Cargo.toml');
  const out = execFileSync(
    'cargo',
    ['metadata', '--format-version', '1', '--locked', '--manifest-path', manifest],
    { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const crate = JSON.parse(out).packages.find((p) => p.name === 'moverox-sui');
  return join(dirname(crate.manifest_path), 'move');
}

/** A system package that the compiler asks for and we use nothing of. */
function empty(name, alias, address) {
  return {
    'Move.toml': [
      '[package]',
      `name = "${name}"`,
      'edition = "2024"',
      `published-at = "${address}"`,
      '[dependencies]',
      'MoveStdlib = { local = "../move-stdlib" }',
      'Sui = { local = "../sui-framework" }',
      '[addresses]',
      `${alias} = "${address}"`,
      '',
    ].join('\n'),
    'sources/nothing.move': `module ${alias}::nothing;\n`,
  };
}

/** What the compiler calls for the packages that a package depends on. */
export function fetcher(sui) {
  const give = (path) => {
    switch (basename(path)) {
      case 'move-stdlib':
      case 'sui-framework':
        return snapshot(join(sui, basename(path)));
      case 'sui-system':
        return empty('SuiSystem', 'sui_system', '0x3');
      case 'bridge':
        return empty('Bridge', 'bridge', '0xb');
      case 'usdc':
        return snapshot(join(root, 'move', basename(path)));
      default:
        throw new Error(`no package ${path}`);
    }
  };
  return {
    fetch: async (_git, _revision, folder) => give(folder ?? ''),
    fetchLocal: async (path) => give(path),
    fetchFile: async () => null,
    getResolvedSha: () => undefined,
  };
}
