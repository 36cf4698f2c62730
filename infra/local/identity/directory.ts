/** The one tenant that the local authority knows, and who there is. All ids are fixed, so that clients may keep them in their settings. */
export const TENANT_ID = '6c1f4f0e-2f0b-4a53-9d0c-5d0e6a3b7c11';

/** The public client that `npm run token` stands for. */
export const COMMAND_LINE_CLIENT_ID = '04b0a1d7-5f6e-4b0c-8f7a-93c5c1e0d2a6';

/** The app roles of this suite. Those of callers go by the names that the command line takes. */
export const APP_ROLES = {
  administrator: 'RemoteRendering.Administrator',
  client: 'RemoteRendering.Client',
  eventSource: 'RemoteRendering.EventSource',
} as const;

/** An application that shows a secret (`ClientSecretCredential`). */
export interface Application {
  readonly name: string;
  readonly clientId: string;
  /** Of its service principal: the claim `oid`. */
  readonly objectId: string;
  readonly roles: readonly string[];
}

export interface ManagedIdentity {
  readonly name: string;
  readonly clientId: string;
  /** Of its service principal: the claim `oid`. */
  readonly principalId: string;
  /** In Azure Resource Manager. */
  readonly resourceId: string;
  readonly roles: readonly string[];
}

const resourceGroup = '/subscriptions/3e0f6f5c-51b0-4f0f-8a44-0f5a0c9d7e21/resourcegroups/local/providers';

/** The suite itself: who asks the managed-identity endpoint and names nobody. */
export const SYSTEM_ASSIGNED: ManagedIdentity = {
  name: 'system-assigned',
  clientId: '8f6f2f0a-7a0d-4c58-b1f6-2a4d5b9e0c31',
  principalId: 'b4c9d3c2-6e15-4d2a-9a7b-1f0e8d7c6b52',
  resourceId: `${resourceGroup}/Microsoft.Web/sites/remote-rendering-functions`,
  roles: [],
};

/** Web PubSub's own: what it shows to the handlers of its events. The app cannot get tokens of it. */
export const WEB_PUBSUB: ManagedIdentity = {
  name: 'web-pubsub',
  clientId: 'f1b7d2a9-3c46-4e85-9d07-8a5c2e6f4b37',
  principalId: '7d93e0c5-1f68-4b2a-8e4d-c6a1b5f09e82',
  resourceId: `${resourceGroup}/Microsoft.SignalRService/WebPubSub/remote-rendering`,
  roles: [APP_ROLES.eventSource],
};

/** Those that must be asked for by name. */
export const USER_ASSIGNED: readonly ManagedIdentity[] = [
  {
    name: 'rendering-client',
    clientId: '2d7e9b64-0c3f-4e8b-8a15-6f9c4b3a2d73',
    principalId: 'e5a8c7f1-9b24-4f6d-b3e0-7c1d2e5f8a94',
    resourceId: `${resourceGroup}/Microsoft.ManagedIdentity/userAssignedIdentities/rendering-client`,
    roles: [APP_ROLES.client],
  },
  {
    name: 'no-roles',
    clientId: '71c5a2e8-4f9d-4b36-9c0e-8e2f1a7d6b15',
    principalId: 'a9d0f4b3-3c68-4e7f-8d21-5b6e9c0a1f36',
    resourceId: `${resourceGroup}/Microsoft.ManagedIdentity/userAssignedIdentities/no-roles`,
    roles: [],
  },
];

export const APPLICATIONS: readonly Application[] = [
  {
    name: 'administrator',
    clientId: 'c3b8e6d5-1a7f-4c92-a0d4-9e5f7b2c8d57',
    objectId: '5e1d7c9a-8b30-4f64-b7a2-0d9c6e4f3b78',
    roles: [APP_ROLES.administrator],
  },
  {
    name: 'client',
    clientId: '9a4f0b7c-6d2e-4813-8f5b-3c7a1e9d0f99',
    objectId: 'd8c6b5a4-2f1e-4097-9b8a-4e3d2c1f0ab0',
    roles: [APP_ROLES.client],
  },
  {
    name: 'no-roles',
    clientId: '40e9d8c7-5b6a-4f1d-b2c3-7a8f9e0d1cb1',
    objectId: '1b2a3c4d-7e6f-4a58-8c9d-6f5e4d3c2bd2',
    roles: [],
  },
];

/** Role assignments on the local Web PubSub, by object id: who is not named may do nothing there. */
export function webPubSubRoles(): Readonly<Record<string, readonly string[]>> {
  const owner = ['Web PubSub Service Owner'];
  const administrators = APPLICATIONS.filter(({ roles }) => roles.includes(APP_ROLES.administrator));
  return Object.fromEntries(
    [SYSTEM_ASSIGNED.principalId, ...administrators.map(({ objectId }) => objectId)].map((id) => [id, owner]),
  );
}
