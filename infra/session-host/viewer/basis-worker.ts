declare function importScripts(url: string): void;

// The decoder as KTX2Loader puts it together. Only a worker that is loaded from the server has a policy of its own.
importScripts(location.hash.slice(1));
