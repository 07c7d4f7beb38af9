/** A thread that makes many objects, some of which last for a while, and then says how many octets its space for new ones has. */
export const CHURN = `
  const { parentPort } = require('node:worker_threads');
  let kept = [];
  for (let n = 0; n < 1e6; n++) {
    const made = { n, text: 'x' + n, list: [n] };
    if (n % 50 === 0) kept.push(made);
    if (kept.length > 10_000) kept = [];
  }
  const { space_size } = require('node:v8').getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  parentPort.postMessage(space_size);
`;
