import { ApiError, badRequest, unauthorized } from './api-error.ts';
import { type ApiAnswer, type ApiRequest, integerOf } from './api-request.ts';
import { isGroupName } from './names.ts';

const DEFAULT_MINUTES = 60;

/** Issues a client token to an identity. Who holds an access key signs its own. */
export async function generateToken(request: ApiRequest): Promise<ApiAnswer> {
  const { principal, query, tokens, host, hubName } = request;
  if (principal === undefined) throw unauthorized('Only a token of Microsoft Entra is accepted here.');
  const minutes = integerOf(request, 'minutesToExpire', { minimum: 1 }) ?? DEFAULT_MINUTES;
  mustBeDefault(query.get('clientType') ?? 'default');
  const groups = query.getAll('group');
  if (!groups.every(isGroupName)) throw badRequest('Invalid group name.', 'group');
  const token = await tokens.issue({
    principal,
    host,
    hub: hubName,
    userId: query.get('userId') || undefined,
    roles: query.getAll('role'),
    groups,
    minutes,
  });
  return { status: 200, body: { token } };
}

function mustBeDefault(clientType: string): void {
  const name = clientType.toLowerCase();
  if (name === 'mqtt' || name === 'socketio') {
    throw new ApiError(501, 'Error.NotImplemented', `Clients of type ${name} are not served here.`, 'clientType');
  }
  if (name !== 'default') throw badRequest('clientType must be Default or MQTT.', 'clientType');
}
