// Keeps the store that its argument names open until it is killed, with one segment flushed.
import { openStore } from '../../../src/store/index.ts';

const [file = ''] = process.argv.slice(2);
const store = await openStore({ file });
store.segment({
  name: 'held',
  id: '00000000000000a1',
  trace_id: '1-5f84c7a1-e7d1852db8c4fd35d88bf49a',
  start_time: 1,
  end_time: 2,
});
await store.flush();
process.stdout.write('open\n');
process.stdin.resume();
