/** What a token may be for: the claim `aud`, and how Microsoft Entra writes its tokens. */
export interface Resource {
  readonly audience: string;
  /** Azure Storage takes tokens of the first version, everything newer those of the second. */
  readonly version: '1.0' | '2.0';
  /** App roles are a matter of the app that defines them: no token for another resource carries them. */
  readonly withAppRoles: boolean;
}

/** The Azure services that the suite calls. */
const SERVICES: readonly Resource[] = [
  { audience: 'https://storage.azure.com', version: '1.0', withAppRoles: false },
  { audience: 'https://webpubsub.azure.com', version: '2.0', withAppRoles: false },
];

/** Finds a resource by how a client names it: slashes at the end do not matter. Undefined for one that the tenant does not know. */
export type FindResource = (identifier: string) => Resource | undefined;

/** `audiences` are those of this suite. */
export function resourcesOf(audiences: readonly string[]): FindResource {
  const apps = audiences.map((audience): Resource => ({ audience, version: '2.0', withAppRoles: true }));
  const byName = new Map([...SERVICES, ...apps].map((resource) => [withoutSlashes(resource.audience), resource]));
  return (identifier) => byName.get(withoutSlashes(identifier));
}

function withoutSlashes(identifier: string): string {
  let end = identifier.length;
  while (identifier[end - 1] === '/') end -= 1;
  return identifier.slice(0, end);
}
