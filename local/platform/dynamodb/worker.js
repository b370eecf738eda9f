// dynalite in a thread of its own: its queries must not delay the gateway's and the intakes' event loop, which measure time.
// JavaScript, because dynalite has no types and a worker thread has no hooks of its parent's.
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';

const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
server.on('error', (error) => parentPort.postMessage({ failed: error.code ?? error.message }));
server.listen(workerData.port, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port }));
