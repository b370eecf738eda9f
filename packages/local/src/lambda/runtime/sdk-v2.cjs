'use strict';
const Module = require('node:module');

/** `aws-sdk`, one of its clients, or its main file by path, as `import` asks for it. */
const sdkV2 = /^aws-sdk(\/|$)|[\\/]node_modules[\\/]aws-sdk[\\/]lib[\\/]aws\.js$/;

/**
 * Gives version 2 of the AWS SDK the endpoints that version 3 reads by itself from
 * `AWS_ENDPOINT_URL_<SERVICE>`. Where version 2 is inside a bundle, it is not loaded by name and
 * cannot be reached.
 */
function configureSdkV2() {
  const endpoints = Object.entries(process.env).flatMap(([name, endpoint]) => {
    const service = /^AWS_ENDPOINT_URL_(.+)$/.exec(name)?.[1];
    return service ? [[service.toLowerCase().replaceAll('_', ''), endpoint]] : [];
  });
  const load = Module._load;
  const configured = new WeakSet();
  Module._load = function loadModule(request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    if (!sdkV2.test(request)) return loaded;
    const config = loaded?.config?.update ? loaded.config : load.call(this, 'aws-sdk/global', ...rest).config;
    if (config && !configured.has(config)) {
      configured.add(config);
      for (const [service, endpoint] of endpoints) config[service] ??= { endpoint };
    }
    return loaded;
  };
}

module.exports = { configureSdkV2 };
