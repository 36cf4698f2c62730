import type { TypedData } from '../rpc.ts';

/** The paths that the management API answers at: the extension's webhook and its local RPC endpoint. */
export const webhookPath = '/runtime/webhooks/durabletask/';
export const rpcPath = '/durabletask/';

/** The links to one instance that start and status answers carry. `url` is the host's, without a slash at its end. */
export function managementLinks(url: string, hubName: string, id: string): Record<string, string> {
  const link = (operation: string, query = '') =>
    `${url}${webhookPath}instances/${id}${operation}?${query}taskHub=${hubName}&connection=Storage`;
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
export function durableClientData(url: string, hubName: string): TypedData {
  const query = `taskHub=${hubName}&connection=Storage`;
  const create = `${url}${webhookPath}orchestrators/{functionName}[/{instanceId}]?${query}`;
  return {
    string: JSON.stringify({
      taskHubName: hubName,
      connectionName: 'Storage',
      creationUrls: {
        createNewInstancePostUri: create,
        createAndWaitOnNewInstancePostUri: `${create}&timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}`,
      },
      managementUrls: managementLinks(url, hubName, 'INSTANCEID'),
      baseUrl: `${url}${webhookPath.slice(0, -1)}`,
      requiredQueryStringParameters: '',
      rpcBaseUrl: `${url}${rpcPath}`,
      httpBaseUrl: null,
    }),
  };
}
