import { serveOptions } from '#lib/http';
import { allowedEventSource } from '#lib/pipeline';
import { plainFront } from './services.ts';

/** `OPTIONS` of every path: tells browsers which origins' pages may call, and Web PubSub that its events are taken. */
serveOptions('web-pubsub-events', plainFront, allowedEventSource);
