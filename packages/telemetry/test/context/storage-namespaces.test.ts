import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import library from 'cls-hooked/context.js';
import { describe, expect, it } from 'vitest';
import * as own from '../../src/context/storage-namespaces.ts';

let count = 0;

// The library itself, and what stands in its place: both must say the same.
describe.each([
  ['cls-hooked', library as unknown as typeof own],
  ['our namespaces', own],
])('%s', (_name, { createNamespace, destroyNamespace, getNamespace }) => {
  const create = () => createNamespace(`test-${count++}`);

  it('finds a namespace by its name until it is destroyed', () => {
    const namespace = create();
    expect(getNamespace(namespace.name)).toBe(namespace);
    destroyNamespace(namespace.name);
    expect(getNamespace(namespace.name)).toBe(null);
  });

  it('has no value outside of every context, and refuses to set one', () => {
    const namespace = create();
    expect(namespace.get('key')).toBe(undefined);
    expect(() => namespace.set('key', 1)).toThrow('No context available');
  });

  it('keeps a value over await, timers, streams and events, and gives it to none that runs beside', async () => {
    const namespace = create();
    const chain = (value: number) =>
      namespace.runAndReturn(async () => {
        namespace.set('key', value);
        const seen: unknown[] = [namespace.get('key')];
        await nextTurn();
        seen.push(namespace.get('key'));
        await wait(value);
        seen.push(namespace.get('key'));
        await new Promise<void>((resolve) => {
          setTimeout(() => {
            seen.push(namespace.get('key'));
            resolve();
          });
        });
        for await (const _ of Readable.from(['a', 'b'])) seen.push(namespace.get('key'));
        process.nextTick(() => seen.push(namespace.get('key')));
        queueMicrotask(() => seen.push(namespace.get('key')));
        await nextTurn();
        return seen;
      });
    const chains = await Promise.all([1, 2, 3].map(chain));

    expect(chains).toEqual([1, 2, 3].map((value) => Array(8).fill(value)));
    expect(namespace.get('key')).toBe(undefined);
  });

  it('lets a context inside another read its values, and keeps its own to itself', () => {
    const namespace = create();
    namespace.run(() => {
      namespace.set('outer', 1);
      namespace.run(() => {
        namespace.set('inner', 2);
        expect([namespace.get('outer'), namespace.get('inner')]).toEqual([1, 2]);
      });
      expect([namespace.get('outer'), namespace.get('inner')]).toEqual([1, undefined]);
    });
  });

  it('runs a bound function in the context that was current when it was bound', () => {
    const namespace = create();
    let bound = (): unknown => 'never bound';
    namespace.run(() => {
      namespace.set('key', 1);
      bound = namespace.bind(() => namespace.get('key'));
    });
    expect(bound()).toBe(1);
  });

  it('runs each listener of a bound emitter in the context in which it was added, and once only what is once', async () => {
    const namespace = create();
    const emitter = new EventEmitter();
    namespace.bindEmitter(emitter);
    const seen: unknown[] = [];
    const kept = () => seen.push(namespace.get('key'));
    namespace.run(() => {
      namespace.set('key', 1);
      emitter.once('event', () => seen.push(namespace.get('key')));
      emitter.on('event', kept);
    });
    emitter.emit('event');
    emitter.emit('event');
    emitter.removeListener('event', kept);
    emitter.emit('event');
    expect(seen).toEqual([1, 1, 1]);
    setImmediate(() => emitter.emit('other'));
    await once(emitter, 'other');
  });

  it('says of an error out of which context it came, and lets it through', async () => {
    const namespace = create();
    const error = new Error('thrown');
    const fail = () => {
      namespace.set('key', 1);
      throw error;
    };
    expect(() => namespace.run(fail)).toThrow(error);
    expect(namespace.fromException(error as never)?.key).toBe(1);
    const rejected = namespace.runPromise(async () => {
      namespace.set('key', 2);
      throw error;
    });
    await expect(rejected).rejects.toBe(error);
    expect(namespace.fromException(error as never)?.key).toBe(2);
  });

  it('has a context that was entered outside of all others wherever there is no other', async () => {
    const namespace = create();
    const context = namespace.createContext();
    namespace.enter(context);
    namespace.set('key', 'outermost');
    await nextTurn();
    expect(namespace.get('key')).toBe('outermost');
    namespace.run(() => {
      namespace.set('key', 'inner');
      expect(namespace.get('key')).toBe('inner');
    });
    expect(namespace.get('key')).toBe('outermost');
  });
});
