import type { TypedData } from '../rpc.ts';

/** Where the management API is served, and what opens it. */
export interface ManagementDoor {
  /** The host's, without a slash at its end. */
  readonly url: string;
  readonly hubName: string;
  /** The host's system key; undefined where it asks for none. */
  readonly systemKey: string | undefined;
}

/** The path of the extension's webhook. */
export const webhookPath = '/runtime/webhooks/durabletask/';
/** The path of the extension's local RPC endpoint. */
const rpcPath = '/durabletask/';

/** The same with the system key in it: DurableClient of durable-functions 3.5 keeps the base's path, and takes no query string. */
export function rpcPathOf({ systemKey }: ManagementDoor): string {
  return systemKey === undefined ? rpcPath : `${rpcPath}${systemKey}/`;
}

/** The links to one instance that start and status answers carry. */
export function managementLinks(door: ManagementDoor, id: string): Record<string, string> {
  const link = (operation: string, query = '') =>
    `${door.url}${webhookPath}instances/${id}${operation}?${query}${queryOf(door)}`;
  return {
    id,
    statusQueryGetUri: link(''),
    sendEventPostUri: link('/raiseEvent/{eventName}'),
    terminatePostUri: link('/terminate', 'reason={text}&'),
    rewindPostUri: link('/rewind', 'reason={text}&'),
    purgeHistoryDeleteUri: link(''),
    restartPostUri: link('/restart'),
    suspendPostUri: link('/suspend', 'reason={text}&'),
    resumePostUri: link('/resume', 'reason={text}&'),
  };
}

/** The data of a durable client binding, as DurableClient of durable-functions 3.5 reads it. */
export function durableClientData(door: ManagementDoor): TypedData {
  const { url, hubName, systemKey } = door;
  const create = `${url}${webhookPath}orchestrators/{functionName}[/{instanceId}]?${queryOf(door)}`;
  return {
    string: JSON.stringify({
      taskHubName: hubName,
      connectionName: 'Storage',
      creationUrls: {
        createNewInstancePostUri: create,
        createAndWaitOnNewInstancePostUri: `${create}&timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}`,
      },
      managementUrls: managementLinks(door, 'INSTANCEID'),
      baseUrl: `${url}${webhookPath.slice(0, -1)}`,
      requiredQueryStringParameters: systemKey === undefined ? '' : codeOf(systemKey),
      rpcBaseUrl: `${url}${rpcPathOf(door)}`,
      httpBaseUrl: null,
    }),
  };
}

function queryOf({ hubName, systemKey }: ManagementDoor): string {
  const code = systemKey === undefined ? '' : `&${codeOf(systemKey)}`;
  return `taskHub=${hubName}&connection=Storage${code}`;
}

function codeOf(systemKey: string): string {
  return `code=${encodeURIComponent(systemKey)}`;
}
