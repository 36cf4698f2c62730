export { leaseEnd, remainingSeconds } from './lease.ts';
export { RenderingError, type RenderingErrorCode } from './rendering-error.ts';
export type { Conversion, ConversionRequest, RenderingService, Session, SessionRequest } from './rendering-service.ts';
export { ConversionPlaces } from './self-hosted/conversion-places.ts';
export { nextConversionStep, runConversion } from './self-hosted/conversion-steps.ts';
export { receiveHeartbeat } from './self-hosted/heartbeats.ts';
export { conversionsAtATime, limitsOf, withSetting } from './self-hosted/limits.ts';
export type { SelfHostedParts } from './self-hosted/parts.ts';
export { selfHosted } from './self-hosted/service.ts';
export {
  awaitHost,
  nextSessionStep,
  startMachine,
  stopSession,
  watchSession,
} from './self-hosted/session-steps.ts';
