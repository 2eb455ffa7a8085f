// One compiler and VM in a thread of its own: builds or tests the files that it is given.
import {
  initMovePackageBuilder,
  prepareMovePackagePublish,
  testMovePackage,
} from '@zktx.io/sui-move-builder/full';
import { parentPort, workerData } from 'node:worker_threads';
import { fetcher } from './sources.mjs';

const packages = fetcher(workerData.framework);
const ready = initMovePackageBuilder();

parentPort.on('message', async ({ kind, files }) => {
  await ready;
  const input = { files, fetcher: packages, network: 'testnet', ansiColor: false };
  try {
    const answer =
      kind === 'build'
        ? await prepareMovePackagePublish({ ...input, lintFlag: 'default' })
        : await testMovePackage(input);
    parentPort.postMessage(answer);
  } catch (error) {
    parentPort.postMessage({ error: String(error) });
  }
});
