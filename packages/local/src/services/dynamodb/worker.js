// dynalite in a thread of its own: its queries must not delay the event loop of the gateway and the
// receivers, which measure time. JavaScript, because dynalite has no types.
import { extname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';

// Of the same kind as this module's own tree: TypeScript in the sources, JavaScript in the package.
const sibling = new URL(`../../http/loopback${extname(workerData.caller)}`, import.meta.url);
const { refuseForeign } = await import(sibling.href);

const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
const [answer] = server.listeners('request');
server.removeAllListeners('request');
server.on('request', (request, response) => {
  // Any web page could read and write every table otherwise: dynalite allows all origins.
  if (!refuseForeign(request, response, workerData.loopback)) answer(request, response);
});
server.keepAliveTimeout = workerData.keepAliveMilliseconds;
server.on('error', (error) => parentPort.postMessage({ failed: error.code ?? error.message }));
server.listen(workerData.port, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port }));
