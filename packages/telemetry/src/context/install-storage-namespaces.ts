/**
 * Gives the X-Ray SDK, which calls `createNamespace` when it is loaded, a namespace without an
 * async hook. So this must be evaluated before the SDK. Where somebody else has loaded it before
 * (a handler that imports Powertools' Tracer first), the SDK keeps cls-hooked's namespace: as
 * right, and as slow as without this package.
 */
import library from 'cls-hooked/context.js';
import { createNamespace } from './storage-namespaces.ts';

const sdkNamespace = 'AWSXRay';
const createHooked = library.createNamespace;

library.createNamespace = (name) => (name === sdkNamespace ? createNamespace(name) : createHooked(name));
